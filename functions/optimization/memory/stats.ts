import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { memoryStats } from '../../routes.ts';

/** GET /optimization/memory/stats */
export const handler = endpoint(memoryStats, (request) => answer('memoryStats', request));
