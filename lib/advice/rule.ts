import type { z } from 'zod';
import { type Finding, findingId, type Severity } from './finding.ts';

/**
 * A rule: a pure function from a snapshot to findings. No I/O, and no clock but the snapshot's
 * `takenAt`. The id is `<domain>/<name>`, is a contract, and never changes.
 */
export interface Rule<Input, Options extends object = object> {
  id: string;
  /** What the rule looks for, in a few words. */
  title: string;
  /** Why it matters, in a sentence or two. */
  why: string;
  /** The page that explains it, relative to the repository. */
  docs: string;
  /** The usual severity; a finding may be milder or worse, and its page says when. */
  severity: Severity;
  /** The options with their defaults; an unknown option is refused. */
  options: z.ZodType<Options>;
  check(input: Input, options: Options): Finding[];
}

/** A finding before its rule has signed it. `severity` defaults to the rule's. */
export type Draft = Omit<Finding, 'id' | 'rule' | 'severity'> & { severity?: Severity };

/**
 * Makes a rule from its parts. `check` returns drafts; the rule's id, its severity and the
 * finding's id are filled in here, once for all rules.
 *
 * @example
 * export const unused = defineRule({ id: 'indexes/unused', …, check: (snapshot: IndexSnapshot, options) => [...] });
 */
export function defineRule<Input, Options extends object>(
  rule: Omit<Rule<Input, Options>, 'check' | 'docs'> & { check(input: Input, options: Options): Draft[] },
): Rule<Input, Options> {
  return {
    ...rule,
    docs: `docs/rules/${rule.id}.md`,
    check: (input, options) =>
      rule.check(input, options).map(({ subject, severity = rule.severity, ...draft }) => ({
        id: findingId(rule.id, subject),
        rule: rule.id,
        severity,
        subject,
        ...draft,
      })),
  };
}

/** Whether a list of rules names a rule: by its id, or by all of its domain, as `queries/*`. */
export function isNamed(id: string, names: readonly string[]): boolean {
  return names.some((name) => name === id || (name.endsWith('/*') && id.startsWith(name.slice(0, -1))));
}
