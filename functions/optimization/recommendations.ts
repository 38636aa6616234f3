import { endpoint } from '../../lib/http/endpoint.ts';
import { answer } from '../answers.ts';
import { recommendations } from '../routes.ts';

/** GET /optimization/recommendations */
export const handler = endpoint(recommendations, (request) => answer('recommendations', request));
