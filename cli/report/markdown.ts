import { type Finding, severities } from '../../lib/advice/finding.ts';
import { bytes, plural, shortened } from '../../lib/advice/format.ts';
import type { Report } from './report.ts';

/** The report for a pull request or a wiki. */
export function markdown({ takenAt, server, notes, findings }: Report): string {
  const size = server.sizeBytes === null ? '' : `, ${bytes(server.sizeBytes)}`;
  const lines = [
    `# Audit of ${inline(server.database)}`,
    '',
    `PostgreSQL ${server.version}${size}, ${takenAt}. ${findings.length === 0 ? 'No findings.' : `${plural(findings.length, 'finding')}.`}`,
    '',
  ];
  for (const severity of severities) {
    const these = findings.filter((finding) => finding.severity === severity);
    if (these.length > 0) lines.push(`## ${severity[0]?.toUpperCase()}${severity.slice(1)} (${these.length})`, '');
    lines.push(...these.flatMap(describe));
  }
  if (notes.length > 0) lines.push('## Notes', '', ...notes.map(({ message }) => `- ${inline(message)}`), '');
  return `${lines.join('\n').trimEnd()}\n`;
}

function describe({ rule, title, detail, evidence, action }: Finding): string[] {
  const numbers = Object.entries(evidence).filter(([, value]) => typeof value === 'number');
  return [
    `### ${inline(title)}`,
    '',
    `${inline(detail)} (\`${rule}\`)`,
    '',
    ...(typeof evidence.statement === 'string' ? [`In: ${inline(shortened(evidence.statement, 300))}`, ''] : []),
    `| ${numbers.map(([name]) => name).join(' | ')} |`,
    `|${numbers.map(() => '---:').join('|')}|`,
    `| ${numbers.map(([, value]) => value).join(' | ')} |`,
    '',
    ...(action?.sql ? [...block(action.sql), ''] : []),
    ...(action?.caution ? [inline(action.caution), ''] : []),
    ...(action?.undoSql ? ['To undo:', '', ...block(action.undoSql), ''] : []),
  ];
}

/** Names may hold anything, so what Markdown or HTML would take for markup is escaped. */
function inline(words: string): string {
  return words.replace(/\s+/g, ' ').replace(/[\\`*_{}[\]<>#|~]/g, (sign) => `\\${sign}`);
}

/** A fence that is longer than any run of backticks inside. */
function block(sql: string): string[] {
  const runs = sql.match(/`+/g) ?? [];
  const fence = '`'.repeat(Math.max(3, ...runs.map(({ length }) => length + 1)));
  return [`${fence}sql`, sql, fence];
}
