import { endpoint } from '../lib/http/endpoint.ts';
import { openApi } from '../lib/http/openapi.ts';
import { version } from '../lib/version.ts';
import { openapi, routes } from './routes.ts';

/** GET /openapi.json */
export const handler = endpoint(openapi, async () => ({ body: openApi(routes, version) }));
