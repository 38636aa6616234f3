import { endpoint } from '../../../lib/http/endpoint.ts';
import { answer } from '../../answers.ts';
import { memoryTrends } from '../../routes.ts';

/** GET /optimization/memory/trends */
export const handler = endpoint(memoryTrends, (request) => answer('memoryTrends', request));
