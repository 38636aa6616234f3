import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Object mappers have many frames between the application and the driver. */
const depth = 50;

/**
 * The place in the application from which a function was called: path, line and column of the first frame that is of no
 * package; null when there is none. The path is relative to the working directory where it lies in it.
 *
 * @param below frames from this function on are left out
 */
export function placeAbove(below: (...values: never[]) => unknown): string | null {
  const before = Error.stackTraceLimit;
  const holder: { stack?: unknown } = {};
  try {
    Error.stackTraceLimit = depth;
    Error.captureStackTrace(holder, below);
    // It is written when it is read, and a program may have changed how.
    return typeof holder.stack === 'string' ? placeIn(holder.stack) : null;
  } catch {
    return null;
  } finally {
    Error.stackTraceLimit = before;
  }
}

/** The first line of a stack that is of the application. */
export function placeIn(stack: string): string | null {
  for (const line of stack.split('\n').slice(1)) {
    const [, place] = /^\s*at (?:.*\()?((?:file:|\/|[A-Za-z]:\\).*:\d+:\d+)\)?$/.exec(line) ?? [];
    if (place !== undefined && !/[\\/]node_modules[\\/]/.test(place)) return shortened(place);
  }
  return null;
}

function shortened(place: string): string {
  const [, url = place, position = ''] = /^(.*?)(:\d+:\d+)$/.exec(place) ?? [];
  const path = url.startsWith('file:') ? fileURLToPath(url) : url;
  const inside = relative(process.cwd(), path);
  return `${inside === '' || inside.startsWith('..') ? path : inside}${position}`;
}
