/** Makes the scenes of a theme in a database, and compares what was found with what is true. */
import fc from 'fast-check';
import type { Finding } from '../../../../../lib/advice/finding.ts';
import { rowsOf, settled, type TestDatabase } from '../../../database.ts';
import { type Kinds, named, type Scene, type Theme } from './theme.ts';

export const seed = Number(process.env.TEST_SEED ?? 20_261_123);

/** A scene in a table of its own. */
export interface Played extends Scene {
  table: string;
  isFault: boolean;
}

/** Chooses scenes of a theme at random, so many of each kind that the server knows. */
export function choose(
  { faults, lookAlikes }: Theme,
  { perKind, versionNumber }: { perKind: number; versionNumber: number },
): Played[] {
  const chosen = (kinds: Kinds, isFault: boolean) =>
    kinds.flatMap((kind) => fc.sample(kind, { seed, numRuns: perKind }).map((scene) => ({ ...scene, isFault })));
  return [...chosen(faults, true), ...chosen(lookAlikes, false)]
    .filter(({ from = 0 }) => from <= versionNumber)
    .map((scene, at) => ({ ...scene, table: `t${at}` }));
}

/** Such as 180004. */
export async function versionNumberOf(database: TestDatabase): Promise<number> {
  const [row] = await rowsOf<{ version: number }>(
    database,
    "select current_setting('server_version_num')::int as version",
  );
  return row?.version ?? 0;
}

/** Runs one step of all scenes, and waits until its counters are there. */
export async function playStep(database: TestDatabase, scenes: readonly Played[], step: number): Promise<void> {
  const statements = scenes.flatMap(({ steps, table }) => (steps[step] ?? []).map((sql) => named(sql, table)));
  // Its one row is counted after all that was before.
  const mark = `mark_${step}`;
  // Rows whose commit may still be lost are not yet visible to all: a VACUUM that came too soon would mark no page.
  await database.run('set synchronous_commit = on', ...statements, `create table ${mark} (a int)`);
  await database.run(`insert into ${mark} values (1)`);
  await settled(database, `select from pg_stat_user_tables where relname = '${mark}' and n_tup_ins = 1`);
  await database.run(`drop table ${mark}`);
}

/** Holds what a rule has found against what is true, and prints how much of it was right and how much of the truth was found. */
export function compare(
  { rule, subject: wanted }: Pick<Theme, 'rule' | 'subject'>,
  scenes: readonly Played[],
  findings: readonly (Pick<Finding, 'subject' | 'title'> & Partial<Finding>)[],
) {
  const wrong: string[] = [];
  let right = 0;
  for (const { table, what, isFault } of scenes) {
    const about = findings.filter(({ subject }) => subject.table === table || subject.table?.startsWith(`${table}_`));
    const names = about.map(({ subject }) => (wanted === 'T' ? subject.table : subject.index));
    const name = named(wanted, table);
    if (JSON.stringify(names) === JSON.stringify(isFault ? [name] : [])) right += about.length;
    else
      wrong.push(
        `${isFault ? 'A fault' : 'No fault'}: ${what}: ${about.map(({ title, detail = '' }) => `${title} ${detail}`).join('; ') || 'nothing found'}`,
      );
  }
  const expected = scenes.filter(({ isFault }) => isFault).length;
  console.log(
    `${rule}: ${expected} faults, ${scenes.length - expected} look-alikes, precision ${right / findings.length}, recall ${right / expected}`,
  );
  return { wrong, precision: right / findings.length, recall: right / expected };
}
