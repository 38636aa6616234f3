import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { functionRule, nameOf } from '../function-rule.ts';

/**
 * `memory/listener-growth`: Node.js has warned of an emitter with more listeners than it should have.
 * https://nodejs.org/docs/latest-v24.x/api/events.html#emittersetmaxlistenersn
 */
export const listenerGrowth = functionRule({
  id: 'memory/listener-growth',
  title: 'More and more listeners',
  why: 'A listener that is added in every invocation holds all that its closure knows, and is called again and again.',
  severity: 'warning',
  options: z.strictObject({ minSamples: z.int().min(1).default(1) }),
  judge(resources) {
    const { listenerWarnings } = resources;
    if (!listenerWarnings) return undefined;
    return {
      title: `${nameOf(resources)} has an emitter with too many listeners`,
      detail: `Node.js gave ${plural(listenerWarnings, 'warning')} of the kind MaxListenersExceededWarning.`,
      evidence: { listenerWarnings },
      action: {
        kind: 'code',
        caution:
          'Add listeners once, outside of the handler, or take them away again (`once`, or the option `signal`). The log has the warning with the emitter and the event; --trace-warnings shows where it was added.',
      },
    };
  },
});
