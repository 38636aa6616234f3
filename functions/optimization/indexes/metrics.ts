import { endpoint } from '../../../lib/http/endpoint.ts';
import { answer } from '../../answers.ts';
import { indexMetrics } from '../../routes.ts';

/** GET /optimization/indexes/metrics */
export const handler = endpoint(indexMetrics, (request) => answer('indexMetrics', request));
