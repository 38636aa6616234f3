import { markdown } from './report/markdown.ts';
import type { Report } from './report/report.ts';
import { text } from './report/text.ts';

/** How a report can be printed. */
export const formats = ['text', 'json', 'markdown'] as const;

/** One of {@link formats}. */
export type Format = (typeof formats)[number];

/** Renders a report; `colour` is for a terminal and matters to text alone. */
export function render(format: Format, report: Report, colour: boolean): string {
  if (format === 'text') return text(report, colour);
  if (format === 'markdown') return markdown(report);
  const { takenAt, server, notes, findings } = report;
  return `${JSON.stringify({ snapshot: { takenAt, server, notes }, findings }, null, 2)}\n`;
}
