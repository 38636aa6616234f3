let count: number | undefined;

/**
 * How often Node.js has warned in this thread that an emitter has too many listeners, since the first call.
 * https://nodejs.org/api/process.html#event-warning
 */
export function listenerWarnings(): number {
  if (count === undefined) {
    count = 0;
    process.on('warning', ({ name }) => {
      if (name === 'MaxListenersExceededWarning') count = (count ?? 0) + 1;
    });
  }
  return count;
}
