import { endpoint } from '../../../lib/http/endpoint.ts';
import { answer } from '../../answers.ts';
import { unusedIndexes } from '../../routes.ts';

/** GET /optimization/indexes/unused */
export const handler = endpoint(unusedIndexes, (request) => answer('unusedIndexes', request));
