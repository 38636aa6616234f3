import { type AnyRule, type RuleConfiguration, readConfiguration } from '../lib/advice/configuration.ts';
import { atLeast, type Severity } from '../lib/advice/finding.ts';
import { judge, notesOf, roster } from '../lib/audit.ts';
import { StreamGateError } from '../lib/errors.ts';
import { loadParser } from '../lib/queries/text.ts';
import { type Format, render } from './report.ts';
import { hideSecrets } from './secrets.ts';
import { readTarget } from './target.ts';

/** The words of `streamgate audit`. */
export interface AuditOptions {
  target: string | undefined;
  format: Format;
  failOn?: Severity;
  only?: string[];
  config?: string;
}

/** `streamgate audit`: prints the report; returns 1 when a finding is as bad as `failOn`, else 0. */
export async function audit(options: AuditOptions): Promise<number> {
  const configuration = restrict(
    readConfiguration(options.config ?? process.env.STREAMGATE_CONFIG, roster),
    options.only,
    roster,
  );
  const [snapshot] = await Promise.all([readTarget(options.target), loadParser()]);
  const findings = judge(snapshot, configuration);
  const notes = notesOf(snapshot);
  const report = { takenAt: snapshot.takenAt, server: snapshot.server, notes, findings };
  process.stdout.write(render(options.format, report, process.stdout.isTTY === true));
  // What was not looked at must not be missed where the report is for a program.
  if (options.format !== 'text') for (const { message } of notes) process.stderr.write(`note: ${message}\n`);
  const { failOn } = options;
  return failOn !== undefined && findings.some(({ severity }) => atLeast(severity, failOn)) ? 1 : 0;
}

/** Switches every rule off but those named. @throws StreamGateError for a rule that does not exist */
export function restrict(
  configuration: RuleConfiguration,
  only: string[] | undefined,
  rules: readonly AnyRule[],
): RuleConfiguration {
  if (only === undefined) return configuration;
  const unknown = only.find((id) => !rules.some((rule) => rule.id === id));
  if (unknown !== undefined) {
    throw new StreamGateError(
      'configuration-invalid',
      `There is no rule "${hideSecrets(unknown)}". Rules: ${rules.map(({ id }) => id).join(', ')}.`,
    );
  }
  const chosen = rules.map(({ id }) => [id, only.includes(id) ? configuration[id] || {} : false] as const);
  return Object.fromEntries(chosen);
}
