import type { z } from 'zod';
import { type EndpointRequest, type Reply, type Route, endpoint as unmonitored } from '../lib/http/endpoint.ts';
import { monitoring } from './monitoring.ts';

/** Makes the handler of a route, as lib/http/endpoint.ts does, and monitors it. */
export function endpoint<Parameters extends z.ZodType>(
  route: Route<Parameters>,
  respond: (request: EndpointRequest<z.infer<Parameters>>) => Promise<Reply>,
) {
  return unmonitored(route, respond, monitoring());
}
