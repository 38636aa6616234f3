import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const page = join(import.meta.dirname, '../docs/benchmarks.md');

/** Puts what a bench printed into docs/benchmarks.md, between the two marks of its name. @throws when they are not there */
export async function writeReport(name: string, report: string): Promise<void> {
  const marks = { begin: `<!-- ${name} begins -->`, end: `<!-- ${name} ends -->` };
  const text = await readFile(page, 'utf8');
  const from = text.indexOf(marks.begin);
  const to = text.indexOf(marks.end);
  if (from < 0 || to < from) throw new Error(`${page} lacks the lines "${marks.begin}" and "${marks.end}".`);
  await writeFile(page, `${text.slice(0, from + marks.begin.length)}\n\n${report}\n\n${text.slice(to)}`);
}
