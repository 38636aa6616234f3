/** Follows the advice of the audits, and measures what came of it. */
import { isDeepStrictEqual } from 'node:util';
import type { Finding } from '../../lib/advice/finding.ts';
import { type DatabaseSnapshot, judge, takeSnapshot } from '../../lib/audit.ts';
import { loadParser, readText } from '../../lib/queries/text.ts';
import { digits, ratioGoal, type Section, sampleOf } from '../cache/measure.ts';
import { withClient } from './client.ts';
import type { Measured, Workload } from './workloads.ts';

/** So often every statement is run; the median counts. */
const runs = 5;

/** A statement that takes longer counts as having taken so long. In milliseconds. */
const capMs = 120_000;

/** What takes less than this is at the mercy of the machine: a rise by so little is none. In milliseconds. */
const noiseMs = 0.5;

/** An index shows that another would help only once it is there. */
const rounds = 3;

interface Times {
  name: string;
  medianMs: number;
}

/** Loads a workload, measures it, follows the advice on it and measures it again. */
export async function beforeAndAfter(workload: Workload, url: string): Promise<Section> {
  await loadParser();
  const before = await measure(workload.statements, url);
  // The audits leave alone what was called less than ten times.
  await measure(workload.statements, url);
  const applied: string[] = [];
  let statements = workload.statements;
  for (let round = 0; round < rounds; round++) {
    const snapshot = await takeSnapshot(url);
    const findings = judge(snapshot);
    if (round === 0) statements = await rewrittenOf(statements, snapshot, findings, url);
    const built = new Set(applied.map(nameIn));
    const wanted = indexesOf(findings).filter((sql) => !built.has(nameIn(sql)));
    if (wanted.length === 0) break;
    await withClient(url, async (client) => {
      for (const sql of wanted) await client.query(sql);
      await client.query('analyze');
    });
    applied.push(...wanted);
    if (round < rounds - 1) await measure(statements, url, 1);
  }
  const after = await measure(statements, url);
  return sectionOf({ ...workload, statements }, before, after, applied, await sizeOf(url));
}

/** A statement that is sent in its rewritten form. */
type Sent = Measured & { isRewritten?: true };

/** The statements with those rewritten that a finding of the right rule is about. Both forms must answer alike. */
async function rewrittenOf(
  statements: readonly Measured[],
  { queries }: DatabaseSnapshot,
  findings: readonly Finding[],
  url: string,
): Promise<Sent[]> {
  const rulesByFingerprint = Map.groupBy(
    findings,
    ({ subject }) => queries.statements.find(({ queryId }) => queryId === subject.queryId)?.fingerprint,
  );
  return withClient(url, (client) =>
    Promise.all(
      statements.map(async (statement) => {
        const { rewritten, ...original } = statement;
        const found = rulesByFingerprint.get(readText(original.sql).fingerprint) ?? [];
        if (!rewritten || !found.some(({ rule }) => rule === rewritten.rule)) return statement;
        const drawn = await Promise.all(
          Array.from({ length: runs + 1 }, (_, run) => rewritten.values(original.values(run), client)),
        );
        for (const [run, values] of drawn.entries()) {
          const answer = async (text: string, given: unknown[]) =>
            (await client.query({ text, values: given, rowMode: 'array' })).rows.map(rewritten.compared);
          const same = isDeepStrictEqual(
            await answer(original.sql, original.values(run)),
            await answer(rewritten.sql, values),
          );
          if (!same) throw new Error(`${original.name} answers otherwise when it is rewritten.`);
        }
        return { ...original, sql: rewritten.sql, values: (run: number) => drawn[run] ?? [], isRewritten: true };
      }),
    ),
  );
}

/** The indexes that findings want, each once: several rules may want one, and then give it the same name. What is only information is left. */
function indexesOf(findings: readonly Finding[]): string[] {
  const sql = findings.flatMap(({ severity, action }) =>
    severity !== 'info' && action?.kind === 'sql' && action.sql ? [action.sql] : [],
  );
  const made = sql.filter((text) => /^create (unique )?index/i.test(text));
  return [...new Map(made.map((text) => [nameIn(text), text])).values()];
}

function nameIn(sql: string): string {
  return /"([^"]+)"/.exec(sql)?.[1] ?? sql;
}

async function measure(statements: readonly Measured[], url: string, times = runs): Promise<Times[]> {
  return withClient(url, async (client) => {
    await client.query(`set statement_timeout = ${capMs}`);
    const result: Times[] = [];
    for (const { name, sql, values } of statements) {
      const took: number[] = [];
      // The first run brings the blocks into memory, and is not counted.
      for (let run = times === 1 ? 0 : -1; run < times; run++) {
        const started = performance.now();
        const isDone = await client.query({ text: sql, values: values(run + 1), rowMode: 'array' }).then(
          () => true,
          (error: Error & { code?: string }) => {
            if (error.code === '57014') return false;
            throw new Error(`${name}: ${error.message}`, { cause: error });
          },
        );
        if (run >= 0) took.push(isDone ? performance.now() - started : capMs);
        // It takes as long the next time.
        if (!isDone) break;
      }
      result.push({ name, medianMs: took.length === 0 ? capMs : sampleOf(took).median });
    }
    return result;
  });
}

async function sizeOf(url: string): Promise<{ tables: number; indexes: number }> {
  return withClient(url, async (client) => {
    const { rows } = await client.query(
      `select sum(pg_table_size(oid)) as tables, sum(pg_indexes_size(oid)) as indexes from pg_class
       where relkind = 'r' and relnamespace = 'public'::regnamespace`,
    );
    return { tables: Number(rows[0].tables), indexes: Number(rows[0].indexes) };
  });
}

function sectionOf(
  { name, about, statements }: Omit<Workload, 'statements'> & { statements: readonly Sent[] },
  before: readonly Times[],
  after: readonly Times[],
  applied: readonly string[],
  size: { tables: number; indexes: number },
): Section {
  const pairs = before.map((was, at) => ({ ...was, afterMs: after[at]?.medianMs ?? Number.NaN }));
  const total = (pick: (pair: (typeof pairs)[number]) => number) => pairs.reduce((all, pair) => all + pick(pair), 0);
  const [beforeMs, afterMs] = [total((pair) => pair.medianMs), total((pair) => pair.afterMs)];
  const slower = pairs.filter(({ medianMs, afterMs: now }) => now > medianMs * 1.1 && now - medianMs > noiseMs);
  const rewritten = statements.filter(({ isRewritten }) => isRewritten);
  const megabytes = (bytes: number) => `${digits(bytes / 2 ** 20)} MB`;
  const half = { median: beforeMs / afterMs, min: 0, max: 0, low: beforeMs / afterMs, high: beforeMs / afterMs };
  return {
    title: `Following the advice on ${name}`,
    method: `${about} Each statement ${runs} times, the median counts. Then every index that the audits warn of lacking is built, in up to ${rounds} rounds: ${applied.length} indexes; tables ${megabytes(size.tables)}, indexes ${megabytes(size.indexes)}.${rewrittenWords(rewritten)}\n\n${[...applied, ...rewritten.map(({ sql }) => sql.replace(/\s+/g, ' '))].map((sql) => `    ${sql}`).join('\n')}`,
    head: ['', 'before, ms', 'after, ms', 'after / before'],
    rows: [
      ...pairs.map(({ name: statement, medianMs, afterMs: now }) => [
        statement,
        digits(medianMs),
        digits(now),
        digits(now / medianMs),
      ]),
      ['**all**', digits(beforeMs), digits(afterMs), digits(afterMs / beforeMs)],
    ],
    goals: [
      ratioGoal('total time at least halved', 2, half),
      {
        aim: 'no statement slower by more than 10 % (and half a millisecond)',
        measured: slower.length === 0 ? 'none' : slower.map((pair) => pair.name).join(', '),
        isMet: slower.length === 0,
      },
    ],
  };
}

function rewrittenWords(rewritten: readonly Sent[]): string {
  if (rewritten.length === 0) return '';
  return ` Statements that the audits find fault with are rewritten as they say, and answer the same rows: ${rewritten.map((statement) => statement.name).join(', ')}.`;
}
