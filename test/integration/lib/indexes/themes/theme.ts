/** What a rule that weighs numbers must find, and what only looks like it: made at random, far enough from its thresholds to be certain. */
import type fc from 'fast-check';

/** One table, and what is done to it and with it. */
export interface Scene {
  what: string;
  /**
   * Statements, step by step: those of all scenes run on one connection for each step, because PostgreSQL publishes the counters of
   * a connection when it ends. `T` stands for the table, `T_x` for the index that the rule may speak of.
   */
  steps: readonly (readonly string[])[];
  /** The oldest server on which that is true, as `server_version_num`. */
  from?: number;
}

/** A rule, with the kinds of its faults and of its look-alikes. */
export interface Theme {
  rule: string;
  /** What the rule speaks of. */
  subject: 'T' | 'T_x';
  /** Thresholds of sizes are lowered, so that tables may be small; shares and ratios are the defaults. */
  options?: Readonly<Record<string, number>>;
  /** So many days ago counting began, for rules that wait. */
  days?: number;
  faults: Kinds;
  lookAlikes: Kinds;
}

/** At least one; scenes of each are tried. */
export type Kinds = readonly [fc.Arbitrary<Scene>, ...fc.Arbitrary<Scene>[]];

/** `T` and `T_x` in the SQL of a table's scene are the names of it, and of what belongs to it. */
export const named = (sql: string, table: string): string => sql.replaceAll(/\bT(?=_|\b)/g, table);

/** Reads by an index, whatever else there is; row by row in its order, if that is wanted. */
export const byIndex = (sql: string, { bitmap = true } = {}): string[] => [
  'set enable_seqscan = off',
  ...(bitmap ? [] : ['set enable_bitmapscan = off']),
  sql,
  'reset enable_seqscan',
  'reset enable_bitmapscan',
];

/** Rows with a number of their own in `a`, the same number plus one in `b`, and texts. */
export const usual = (rows: number): string[] => [
  'create table T (id int primary key, a int not null, b int not null, s text not null)',
  `insert into T select g, g, g + 1, 's' || g from generate_series(1, ${rows}) g`,
];

/** Makes every row of `a` refer to a table of its own. */
export const referring = (rows: number): string[] => [
  'create table T_parent (id int primary key)',
  `insert into T_parent select generate_series(0, ${rows}) g`,
  'alter table T add foreign key (a) references T_parent (id)',
];

/** Deletes a share of the rows, everywhere alike. */
export const without = (percent: number): string => `delete from T where (id * 31) % 100 < ${percent}`;
