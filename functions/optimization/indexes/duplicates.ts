import { endpoint } from '../../../lib/http/endpoint.ts';
import { answerFindings } from '../../answers.ts';
import { duplicateIndexes } from '../../routes.ts';

/** GET /optimization/indexes/duplicates */
export const handler = endpoint(duplicateIndexes, ({ parameters }) =>
  answerFindings('indexes', 'indexes/duplicate', parameters),
);
