import pc from 'picocolors';
import { type Finding, type Severity, severities } from '../../lib/advice/finding.ts';
import { bytes, milliseconds, plural, shortened } from '../../lib/advice/format.ts';
import { roster } from '../../lib/audit.ts';
import { harmless } from './harmless.ts';
import type { Report } from './report.ts';

type Colours = ReturnType<typeof pc.createColors>;

/** Of one rule at one severity, so that a large database does not bury the rest; JSON has them all. */
const shownPerRule = 20;

/** The report for a person at a terminal: worst first, grouped by rule, each finding with its evidence and its SQL. */
export function text(report: Report, colour: boolean): string {
  const ink = pc.createColors(colour);
  const { server, findings, notes } = harmless(report);
  const lines = [
    ink.bold(`${server.database} on PostgreSQL ${server.version}`) +
      ink.dim(
        ` · ${server.sizeBytes === null ? 'size unknown' : bytes(server.sizeBytes)}${server.isStandby ? ' · standby' : ''} · ${report.takenAt.slice(0, 16).replace('T', ' ')} UTC`,
      ),
    '',
    ...findingLines(findings, ink),
  ];
  for (const note of notes) lines.push(`${ink.dim('note')}  ${note.message}`);
  if (notes.length > 0) lines.push('');
  lines.push(summary(findings));
  return `${lines.join('\n')}\n`;
}

/** Findings without a report around them. */
export function findingsText(findings: readonly Finding[], colour: boolean): string {
  const lines = [...findingLines(harmless(findings), pc.createColors(colour)), summary(findings)];
  return `${lines.join('\n')}\n`;
}

function findingLines(findings: readonly Finding[], ink: Colours): string[] {
  const paint: Record<Severity, (words: string) => string> = { critical: ink.red, warning: ink.yellow, info: ink.cyan };
  const lines: string[] = [];
  for (const severity of severities) {
    const these = findings.filter((finding) => finding.severity === severity);
    for (const [rule, group] of Map.groupBy(these, (finding) => finding.rule)) {
      const shown = group.slice(0, shownPerRule);
      const cautions = new Set(shown.map(({ action }) => action?.caution));
      const common = shown.length > 1 && cautions.size === 1 ? [...cautions][0] : undefined;
      lines.push(
        `${paint[severity](ink.bold(severity.toUpperCase()))}  ${ink.bold(rule)}  ${ink.dim(plural(group.length, 'finding'))}`,
        ...wrap(roster.find(({ id }) => id === rule)?.why ?? '', 2).map(ink.dim),
        '',
      );
      for (const finding of shown) lines.push(...describe(finding, ink, common), '');
      if (common) lines.push(...wrap(`Before any of these: ${common}`, 2).map(ink.dim), '');
      if (group.length > shownPerRule) {
        lines.push(
          ink.dim(`  … and ${group.length - shownPerRule} more: --only ${rule} --format json shows them all.`),
          '',
        );
      }
    }
  }
  return lines;
}

function describe(
  { title, detail, impact, evidence, action }: Finding,
  ink: Colours,
  commonCaution: string | undefined,
): string[] {
  const gain = impact?.bytes
    ? `frees ${bytes(impact.bytes)}`
    : impact?.msPerDay
      ? `${milliseconds(impact.msPerDay)} a day`
      : '';
  const caution = action?.caution === commonCaution ? undefined : action?.caution;
  return [
    gain ? `  ${ink.bold(title.padEnd(width - gain.length - 4))}  ${ink.dim(gain)}` : `  ${ink.bold(title)}`,
    ...wrap(detail, 4),
    ...(isUnnamed(title, evidence.statement) ? [ink.dim(`    in: ${shortened(evidence.statement, width - 8)}`)] : []),
    ...(action?.sql ? action.sql.split('\n').map((line) => `    ${ink.green(line)}`) : []),
    ...(caution ? wrap(caution, 4).map(ink.dim) : []),
  ];
}

/** Whether a finding is about a statement that its title does not show. */
function isUnnamed(title: string, statement: string | number | undefined): statement is string {
  return typeof statement === 'string' && !title.includes(shortened(statement));
}

function summary(findings: readonly Finding[]): string {
  if (findings.length === 0) return 'No findings.';
  const parts = severities
    .map((severity) => [severity, findings.filter((finding) => finding.severity === severity).length] as const)
    .filter(([, number]) => number > 0)
    .map(([severity, number]) => `${number} ${severity}`);
  // An index may be reported by two rules; what it takes is freed once.
  const freed = new Map<string, number>();
  for (const { subject, impact } of findings) {
    const key = JSON.stringify(subject);
    freed.set(key, Math.max(freed.get(key) ?? 0, impact?.bytes ?? 0));
  }
  const total = [...freed.values()].reduce((all, size) => all + size, 0);
  return `${plural(findings.length, 'finding')}: ${parts.join(', ')}.${total > 0 ? ` About ${bytes(total)} of disk can be freed.` : ''}`;
}

const width = 100;

/** Breaks prose between words. */
function wrap(prose: string, indent: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of prose.split(/\s+/)) {
    if (line !== '' && indent + line.length + 1 + word.length > width) {
      lines.push(line);
      line = '';
    }
    line += line === '' ? word : ` ${word}`;
  }
  return [...lines, line].map((words) => ' '.repeat(indent) + words);
}
