import { endpoint } from '../../../lib/http/endpoint.ts';
import { answerFindings } from '../../answers.ts';
import { fragmentedIndexes } from '../../routes.ts';

/** GET /optimization/indexes/fragmented */
export const handler = endpoint(fragmentedIndexes, ({ parameters }) =>
  answerFindings('indexes', 'indexes/fragmented', parameters),
);
