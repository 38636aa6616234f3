import { endpoint } from '../../../lib/http/endpoint.ts';
import { answerRows } from '../../answers.ts';
import { indexMetrics } from '../../routes.ts';

/** GET /optimization/indexes/metrics */
export const handler = endpoint(indexMetrics, ({ parameters }) => answerRows('indexes', parameters));
