import type { InvocationContext, Scope } from './scope.ts';

/** What middy hands a middleware: https://middy.js.org/docs/writing-middlewares */
interface MiddyRequest {
  context: InvocationContext;
  internal: Record<string, unknown>;
}

/**
 * A middy middleware: the queries of an invocation belong together, so that a statement that it asks again and again is found.
 * Put it first.
 *
 * @example export const handler = middy().use(queryScope(tracker)).handler(async (event) => …);
 */
export function queryScope(tracker: { invocation(context?: InvocationContext): Scope }) {
  const name = Symbol('streamgate query scope') as unknown as string;
  const end = (request: MiddyRequest): void => {
    (request.internal[name] as Scope | undefined)?.end();
  };
  return {
    before: (request: MiddyRequest): void => {
      request.internal[name] = tracker.invocation(request.context);
    },
    after: end,
    onError: end,
  };
}
