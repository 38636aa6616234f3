import { endpoint } from '../../../lib/http/endpoint.ts';
import { answerRows } from '../../answers.ts';
import { queryMetrics } from '../../routes.ts';

/** GET /optimization/queries/metrics */
export const handler = endpoint(queryMetrics, ({ parameters }) => answerRows('queries', parameters));
