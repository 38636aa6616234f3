import { answer } from '../answers.ts';
import { endpoint } from '../endpoint.ts';
import { recommendations } from '../routes.ts';

/** GET /optimization/recommendations */
export const handler = endpoint(recommendations, (request) => answer('recommendations', request));
