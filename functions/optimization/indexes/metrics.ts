import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { indexMetrics } from '../../routes.ts';

/** GET /optimization/indexes/metrics */
export const handler = endpoint(indexMetrics, (request) => answer('indexMetrics', request));
