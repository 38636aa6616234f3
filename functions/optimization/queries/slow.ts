import { endpoint } from '../../../lib/http/endpoint.ts';
import { answer } from '../../answers.ts';
import { slowQueries } from '../../routes.ts';

/** GET /optimization/queries/slow */
export const handler = endpoint(slowQueries, (request) => answer('slowQueries', request));
