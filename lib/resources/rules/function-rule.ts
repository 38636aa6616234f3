/** What the rules over functions have in common. */
import type { Finding } from '../../advice/finding.ts';
import { type Draft, defineRule, type Rule } from '../../advice/rule.ts';
import type { FunctionResources, ResourceSnapshot } from '../snapshot.ts';

/** What a rule says of a function. */
export type Verdict = Omit<Draft, 'subject' | 'evidence'> & { evidence: Finding['evidence'] };

/** Makes a rule of a judgement of one function. At most one finding comes of each. */
export function functionRule<Options extends { minSamples: number }>(
  rule: Omit<Rule<ResourceSnapshot, Options>, 'check' | 'docs'> & {
    judge(resources: FunctionResources, options: Options): Verdict | undefined;
  },
): Rule<ResourceSnapshot, Options> {
  const { judge, ...rest } = rule;
  return defineRule({
    ...rest,
    check({ database, functions }: ResourceSnapshot, options): Draft[] {
      return functions.flatMap((resources) => {
        const verdict = resources.samples < options.minSamples ? undefined : judge(resources, options);
        if (!verdict) return [];
        const { version, stage, samples, environments, invocations } = resources;
        return [
          {
            ...verdict,
            subject: { database, function: nameOf(resources) },
            evidence: { ...known({ version, stage, samples, environments, invocations }), ...verdict.evidence },
          },
        ];
      });
    },
  });
}

/** Without what is null. */
function known(figures: Record<string, number | string | null>): Finding['evidence'] {
  return Object.fromEntries(
    Object.entries(figures).flatMap(([name, value]) => (value === null ? [] : [[name, value]])),
  );
}

/** A function's name, with its stage where it has one of its own. */
export function nameOf({ function: name, stage }: Pick<FunctionResources, 'function' | 'stage'>): string {
  return stage === 'default' ? name : `${name} (${stage})`;
}

/** To one decimal. */
export function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}

/** "12.3 %". */
export function percent(value: number): string {
  return `${rounded(value)} %`;
}
