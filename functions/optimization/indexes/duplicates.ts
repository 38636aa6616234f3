import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { duplicateIndexes } from '../../routes.ts';

/** GET /optimization/indexes/duplicates */
export const handler = endpoint(duplicateIndexes, (request) => answer('duplicateIndexes', request));
