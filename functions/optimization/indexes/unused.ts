import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { unusedIndexes } from '../../routes.ts';

/** GET /optimization/indexes/unused */
export const handler = endpoint(unusedIndexes, (request) => answer('unusedIndexes', request));
