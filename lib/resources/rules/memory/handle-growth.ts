import * as z from 'zod';
import { count } from '../../../advice/format.ts';
import type { FunctionResources } from '../../snapshot.ts';
import { functionRule, nameOf } from '../function-rule.ts';

/** `memory/handle-growth`: sockets, timers, files or other resources that are opened again and again, and never closed. */
export const handleGrowth = functionRule({
  id: 'memory/handle-growth',
  title: 'Handles that are never closed',
  why: 'Every open handle holds memory and most hold a file descriptor: a Lambda environment has 1,024 of these.',
  severity: 'warning',
  options: z.strictObject({ minSamples: z.int().min(1).default(20) }),
  judge(resources) {
    const growing = growingIn(resources);
    const [worst] = growing;
    if (!worst) return undefined;
    const [type, growth] = worst;
    return {
      title: `${nameOf(resources)} leaves ${type} open`,
      detail: `Of ${growing.map(([each, { perInvocation }]) => `${each} there ${one(perInvocation)}`).join(', of ')}, from invocation ${count(growth.from)} to ${count(growth.to)}; ${count(growth.grown)} in all.`,
      evidence: {
        types: growing.map(([each]) => each).join(', '),
        perInvocation: growth.perInvocation,
        grown: growth.grown,
        p: growth.p,
        n: growth.n,
      },
      action: {
        kind: 'code',
        caution:
          'Make clients and pools once, outside of the handler; end what a handler begins (clearInterval, client.release(), response bodies that are read to their end or cancelled). A pool that still fills stops at its size: it is told apart by `poolHandles`.',
      },
    };
  },
});

function growingIn({ leak }: FunctionResources) {
  const all = [
    ...Object.entries(leak.handles),
    ...(leak.descriptors ? [['file descriptors', leak.descriptors] as const] : []),
  ];
  return all.filter(([, { verdict }]) => verdict === 'leak').sort(([, a], [, b]) => b.perInvocation - a.perInvocation);
}

/** "is one more in every 4 invocations". */
function one(perInvocation: number): string {
  return perInvocation >= 1
    ? `are ${count(perInvocation)} more after each invocation`
    : `is one more in every ${count(1 / perInvocation)} invocations`;
}
