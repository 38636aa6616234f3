import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { memoryTrends } from '../../routes.ts';

/** GET /optimization/memory/trends */
export const handler = endpoint(memoryTrends, (request) => answer('memoryTrends', request));
