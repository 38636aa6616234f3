import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { queryMetrics } from '../../routes.ts';

/** GET /optimization/queries/metrics */
export const handler = endpoint(queryMetrics, (request) => answer('queryMetrics', request));
