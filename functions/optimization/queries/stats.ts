import { endpoint } from '../../../lib/http/endpoint.ts';
import { answerSummary } from '../../answers.ts';
import { queryStats } from '../../routes.ts';

/** GET /optimization/queries/stats */
export const handler = endpoint(queryStats, ({ parameters }) => answerSummary('queries', parameters.database));
