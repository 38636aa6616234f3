import { endpoint } from '../../../lib/http/endpoint.ts';
import { answer } from '../../answers.ts';
import { fragmentedIndexes } from '../../routes.ts';

/** GET /optimization/indexes/fragmented */
export const handler = endpoint(fragmentedIndexes, (request) => answer('fragmentedIndexes', request));
