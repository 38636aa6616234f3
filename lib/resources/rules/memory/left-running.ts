import * as z from 'zod';
import { functionRule, nameOf, percent, rounded } from '../function-rule.ts';

/**
 * `memory/left-running`: work that a handler has begun and that is still under way when it has answered. Lambda freezes it, and
 * it goes on in the next invocation, or never. https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html
 */
export const leftRunning = functionRule({
  id: 'memory/left-running',
  title: 'Work left running after the answer',
  why: 'The environment is frozen as soon as the answer is there: what still runs is lost, or goes on at the cost of the next invocation.',
  severity: 'warning',
  options: z.strictObject({
    minSamples: z.int().min(1).default(20),
    /** Whether it is reported where it happens now and then, too. */
    suspicions: z.boolean().default(true),
  }),
  judge(resources, { suspicions }) {
    const found = Object.entries(resources.leak.leftRunning)
      .filter(([, { verdict }]) => verdict === 'leak' || (verdict === 'suspect' && suspicions))
      .sort(([, a], [, b]) => b.share - a.share);
    const [worst] = found;
    if (!worst) return undefined;
    const [type, { share, interval, n }] = worst;
    return {
      severity: found.some(([, { verdict }]) => verdict === 'leak') ? 'warning' : 'info',
      title: `${nameOf(resources)} answers while ${type} is still under way`,
      detail: `In ${percent(100 * share)} of the samples something that the invocation began was still running when it had answered: ${found.map(([each]) => each).join(', ')}.`,
      evidence: {
        types: found.map(([each]) => each).join(', '),
        sharePercent: rounded(100 * share),
        sharePercentLow: rounded(100 * interval[0]),
        judgedSamples: n,
      },
      action: {
        kind: 'code',
        caution:
          'Await every promise before the handler returns, or hand the work to a queue. A promise that nobody waits for is found by the lint rule no-floating-promises.',
      },
    };
  },
});
