import { answer } from '../../answers.ts';
import { endpoint } from '../../endpoint.ts';
import { slowQueries } from '../../routes.ts';

/** GET /optimization/queries/slow */
export const handler = endpoint(slowQueries, (request) => answer('slowQueries', request));
