import type { Cache } from './cache.ts';
import type { InvocationContext, Scope } from './invocations.ts';

/** What middy hands a middleware: https://middy.js.org/docs/writing-middlewares */
interface MiddyRequest {
  context: InvocationContext;
  internal: Record<string, unknown>;
}

/**
 * A middy middleware: the refreshes and writes that an invocation started are finished before its environment is frozen,
 * within the time that the invocation has left.
 *
 * @example export const handler = middy().use(cacheScope(cache)).handler(async (event) => …);
 */
export function cacheScope(cache: Pick<Cache, 'scope'>) {
  const name = Symbol('streamgate cache scope') as unknown as string;
  const end = (request: MiddyRequest) => (request.internal[name] as Scope | undefined)?.end();
  return {
    before: (request: MiddyRequest): void => {
      request.internal[name] = cache.scope(request.context);
    },
    after: end,
    onError: end,
  };
}
