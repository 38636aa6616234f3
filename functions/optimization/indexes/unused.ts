import { endpoint } from '../../../lib/http/endpoint.ts';
import { answerFindings } from '../../answers.ts';
import { unusedIndexes } from '../../routes.ts';

/** GET /optimization/indexes/unused */
export const handler = endpoint(unusedIndexes, ({ parameters }) =>
  answerFindings('indexes', 'indexes/unused', parameters),
);
