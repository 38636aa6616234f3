import * as z from 'zod';
import { plural } from '../../../advice/format.ts';
import { defineNodeRule, minSharePercent } from './define.ts';
import { shareOfTree } from './share.ts';

/**
 * `plans/workers-not-launched`: the plan counts on workers that the server had not to give. Only a plan that was run tells.
 * https://www.postgresql.org/docs/current/when-can-parallel-query-be-used.html
 */
export const workersNotLaunched = defineNodeRule({
  id: 'plans/workers-not-launched',
  title: 'Parallel workers missing',
  why: 'The plan was chosen for so many workers: with fewer of them it takes longer, and another plan may have been better.',
  severity: 'info',
  options: z.strictObject({
    /** Of the workers that were planned. */
    minMissingPercent: z.number().min(0).max(100).default(50),
    /** Of the statement's time, with all below the workers. */
    minSharePercent,
  }),
  inspect(place, context, options) {
    const { planned, launched } = place.node.workers ?? { planned: 0, launched: undefined };
    const missing = planned - (launched ?? planned);
    // A node that never ran has launched none.
    if (missing <= 0 || place.node.actual?.loops === 0) return undefined;
    if (missing * 100 < planned * options.minMissingPercent) return undefined;
    const all = context.input.settings?.parallelWorkers;
    return {
      share: shareOfTree(place, context.plan),
      weight: missing,
      title: `${plural(missing, 'parallel worker')} of ${planned} could not be had`,
      detail: `${place.node.type} planned ${plural(planned, 'worker')} and got ${launched}.${all === undefined ? '' : ` max_parallel_workers is ${all}.`}`,
      evidence: {
        workersPlanned: planned,
        workersLaunched: launched ?? 0,
        ...(all === undefined ? {} : { maxParallelWorkers: all }),
      },
      action: {
        kind: 'config',
        caution:
          'All sessions share max_parallel_workers, and it all fits in max_worker_processes. Raise both where processors are idle; where they are not, lower max_parallel_workers_per_gather, so that plans count on what they get. A client that fetches row by row from a cursor gets no workers at all.',
      },
    };
  },
});
