import type { InvocationContext } from '../../cache/invocations.ts';
import type { Monitor } from './core.ts';

/** A function as Lambda calls it: `(event, context)`, `(event, context, callback)`, or `(event, responseStream, context)`. */
export type Handler = (...parameters: never[]) => unknown;

/**
 * The handler, with its beginning and its end told to the monitor. It has ended when its promise is settled; without a promise,
 * when its callback is called; without either, when it returns.
 */
export function monitoredHandler<Wrapped extends Handler>(handler: Wrapped, monitor: Monitor): Wrapped {
  function monitored(this: unknown, ...parameters: unknown[]): unknown {
    const invocation = monitor.begin(contextIn(parameters));
    const end = () => monitor.end(invocation);
    const callback = parameters[2];
    const hasCallback = typeof callback === 'function';
    if (hasCallback) {
      parameters[2] = (...results: unknown[]) => {
        end();
        return callback(...results);
      };
    }
    let result: unknown;
    try {
      result = handler.apply(this, parameters as never[]);
    } catch (error) {
      end();
      throw error;
    }
    if (isPromise(result)) return Promise.resolve(result).finally(end);
    if (!hasCallback) end();
    return result;
  }
  // What marks a handler that streams its response is a property of the function.
  return Object.assign(monitored as unknown as Wrapped, handler);
}

function contextIn([, second, third]: readonly unknown[]): InvocationContext | undefined {
  return [second, third].find(isContext);
}

function isContext(value: unknown): value is InvocationContext {
  return typeof (value as InvocationContext | undefined)?.getRemainingTimeInMillis === 'function';
}

function isPromise(value: unknown): value is Promise<unknown> {
  return typeof (value as Promise<unknown> | undefined)?.then === 'function';
}
