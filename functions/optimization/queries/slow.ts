import { endpoint } from '../../../lib/http/endpoint.ts';
import { answerFindings } from '../../answers.ts';
import { slowQueries } from '../../routes.ts';

/** GET /optimization/queries/slow */
export const handler = endpoint(slowQueries, ({ parameters }) => answerFindings('queries', 'queries/slow', parameters));
