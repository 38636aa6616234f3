import * as z from 'zod';
import type { Severity } from '../../../advice/finding.ts';
import { bytes, count } from '../../../advice/format.ts';
import type { Growth } from '../../leak.ts';
import type { FunctionResources } from '../../snapshot.ts';
import { functionRule, nameOf, rounded } from '../function-rule.ts';

/** With so many environments what they say together decides, and not what one of them says. */
const enoughEnvironments = 3;

/**
 * `memory/leak`: memory that grows with every invocation and does not come back. docs/guides/leaks.md tells how it is judged, and
 * how often the verdict is wrong.
 */
export const memoryLeak = functionRule({
  id: 'memory/leak',
  title: 'Memory leak',
  why: 'An environment that leaks becomes slower, and ends in the middle of an invocation when its memory is used up.',
  severity: 'warning',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** Out of memory after so many invocations or sooner is critical. */
    criticalInvocations: z.number().nonnegative().default(10_000),
    /** Whether a suspicion is reported as well. */
    suspicions: z.boolean().default(true),
  }),
  judge(resources, { criticalInvocations, suspicions }) {
    const [what, growth] = gravest(resources);
    if (growth.verdict !== 'leak' && !(growth.verdict === 'suspect' && suspicions)) return undefined;
    const isLeak = growth.verdict === 'leak';
    const end = resources.leak.outOfMemory;
    const severity: Severity = !isLeak
      ? 'info'
      : end && end.invocations <= criticalInvocations
        ? 'critical'
        : 'warning';
    return {
      severity,
      title: isLeak
        ? `${nameOf(resources)} leaks ${bytes(growth.perInvocation)} of ${where[what]} an invocation`
        : `${nameOf(resources)} may leak ${where[what]}`,
      detail: `${isLeak ? 'It' : (because[growth.reason] ?? 'It')} grows by ${bytes(growth.perInvocation)} an invocation (95 %: ${bytes(Math.max(0, growth.interval[0]))} to ${bytes(growth.interval[1])}), and has grown by ${bytes(growth.grown)}.${end ? ` The memory is used up after about ${count(end.invocations)} further invocations.` : ''}`,
      evidence: {
        what,
        verdict: growth.verdict,
        reason: growth.reason,
        bytesPerInvocation: rounded(growth.perInvocation),
        bytesPerInvocationLow: rounded(growth.interval[0]),
        bytesPerInvocationHigh: rounded(growth.interval[1]),
        p: growth.p,
        n: growth.n,
        ...(end ? { invocationsUntilOutOfMemory: end.invocations, limit: end.limit } : {}),
      },
      action: { kind: 'code', caution: remedy[what] },
    };
  },
});

const where = { heap: 'heap', external: 'memory outside of the heap' };

const because: Partial<Record<Growth['reason'], string>> = {
  'without-floors': 'No collection was forced, so that it may be garbage: with `floorEvery` it would be certain. It',
  compiling: 'V8 still compiles as much, and keeps other things for the code. It',
  'within-bounds': 'It may be a cache that fills. It',
};

const remedy = {
  heap: 'Compare two heap snapshots some hundred invocations apart, sorted by retained size: docs/guides/leaks.md goes through it. Mostly it is a Map or array at the top of a module, a listener that is added in the handler, or a closure that a timer holds.',
  external:
    'It is memory that buffers hold: bodies that are kept, compression streams that are not ended, results of a native module. Look for ArrayBuffer and Buffer in a heap snapshot, and at who holds them: docs/guides/leaks.md.',
};

/** What is judged: by all environments together where there are enough of them. */
function gravest({ fleet, leak, environments }: FunctionResources): ['heap' | 'external', Growth] {
  const isFleet = fleet && (environments ?? 0) >= enoughEnvironments && fleet.verdict !== 'insufficient-data';
  const { heap, external } = isFleet ? fleet : leak;
  const rank = ({ verdict }: Growth) => ['leak', 'suspect'].indexOf(verdict) + 1 || Number.POSITIVE_INFINITY;
  return rank(external) < rank(heap) ? ['external', external] : ['heap', heap];
}
