import { readFileSync } from 'node:fs';
import * as z from 'zod';
import { StreamGateError } from '../errors.ts';
import { bySeverity, type Finding } from './finding.ts';
import type { Rule } from './rule.ts';

/** `streamgate.config.json`: a rule's options, or `false` to switch it off. */
const ConfigurationFile = z.strictObject({
  $schema: z.string().optional(),
  rules: z.record(z.string(), z.union([z.literal(false), z.record(z.string(), z.unknown())])).default({}),
});

/** Which rules run, and with which options: what is not named runs with its defaults. */
export type RuleConfiguration = z.infer<typeof ConfigurationFile>['rules'];

// biome-ignore lint/suspicious/noExplicitAny: the roster holds rules of different snapshots and options, each checked by its own schema.
export type AnyRule = Rule<any, any>;

/** Read when no other file is named; it need not be there. */
const usualPath = 'streamgate.config.json';

/**
 * Reads and checks a configuration file: the one that is named, or the usual one if there is one.
 *
 * @throws StreamGateError `configuration-invalid` for a missing file, broken JSON, an unknown key, rule or option
 */
export function readConfiguration(path: string | undefined, roster: readonly AnyRule[]): RuleConfiguration {
  let text: string;
  try {
    text = readFileSync(path || usualPath, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (!path && code === 'ENOENT') return {};
    throw new StreamGateError('configuration-invalid', `${path || usualPath} cannot be read (${code}).`, { cause });
  }
  return parseConfiguration(path || usualPath, text, roster);
}

/** The pure part of {@link readConfiguration}; `path` is only for its messages. */
export function parseConfiguration(path: string, text: string, roster: readonly AnyRule[]): RuleConfiguration {
  const refuse = (what: string, cause?: unknown) =>
    new StreamGateError('configuration-invalid', `${path}: ${what}`, { cause });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse(`not JSON (${(cause as Error).message.replaceAll(/\s+/g, ' ')}).`, cause);
  }
  const file = ConfigurationFile.safeParse(json);
  if (!file.success) throw refuse(explain(file.error), file.error);
  for (const [id, options] of Object.entries(file.data.rules)) {
    const rule = roster.find((candidate) => candidate.id === id);
    if (!rule) throw refuse(`there is no rule "${id}". Rules: ${roster.map((candidate) => candidate.id).join(', ')}.`);
    const checked = rule.options.safeParse(options || {});
    if (!checked.success) throw refuse(`rule "${id}": ${explain(checked.error)}`, checked.error);
  }
  return file.data.rules;
}

/** Runs the rules that are switched on, and sorts what they found, worst first. */
export function runRules<Input>(
  rules: readonly AnyRule[],
  input: Input,
  configuration: RuleConfiguration = {},
): Finding[] {
  return rules
    .filter((rule) => configuration[rule.id] !== false)
    .flatMap((rule) => rule.check(input, rule.options.parse(configuration[rule.id] || {})))
    .sort(bySeverity);
}

/** What zod has to say, in one line. */
function explain({ issues }: z.ZodError): string {
  return `${issues.map(({ path, message }) => [...path.map(String), message].join(': ')).join('; ')}.`;
}
