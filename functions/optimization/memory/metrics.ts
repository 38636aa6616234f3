import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { memoryMetrics } from '../../routes.ts';

/** GET /optimization/memory/metrics */
export const handler = endpoint(memoryMetrics, (request) => answer('memoryMetrics', request));
