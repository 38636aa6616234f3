import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { fragmentedIndexes } from '../../routes.ts';

/** GET /optimization/indexes/fragmented */
export const handler = endpoint(fragmentedIndexes, (request) => answer('fragmentedIndexes', request));
