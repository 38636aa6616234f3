/**
 * Costs with indexes that HypoPG only pretends: nothing is built, and nobody else sees them.
 * https://hypopg.readthedocs.io/en/rel1_stable/usage.html
 *
 * Pretended indexes live in a connection of the server and know no transactions. So all that a call pretends is taken back at its
 * end, in the transaction that it runs in: behind a pooler the connection is somebody else's next.
 */
import pg from 'pg';
import type { Read, Session } from '../../postgres/session.ts';
import { nodesOf, type Plan } from '../../queries/plan/tree.ts';
import { attempt } from './attempt.ts';
import { type Candidate, definitionOf, sqlOf } from './candidate.ts';
import type { Cost, CostSource } from './cost-source.ts';

/**
 * Plans a statement on the session that it is given, which is in the midst of a transaction. Null where the statement has no plan.
 *
 * @throws StreamGateError as `Session.read`
 */
export type Planner = (session: Session, queryId: string) => Promise<Plan | null>;

/** An index that is pretended at the moment. */
interface Pretended {
  oid: string;
  /** As plans call it. */
  name: string;
}

/**
 * A source over HypoPG. It never changes anything in the database.
 *
 * @param schema where the extension is: its functions are on nobody's search path
 * @param hidden existing indexes, by their oids, which plans must do without; only where {@link canHide}
 */
export function hypopgSource(
  session: Session,
  schema: string,
  plan: Planner,
  hidden: readonly string[] = [],
): CostSource {
  const functions = pg.escapeIdentifier(schema);
  /** Definitions that HypoPG refused: their sets cost what they cost without them. */
  const refused = new Set<string>();
  return {
    costs: (queryId, sets) =>
      session.transaction(async (read) => {
        const pretended = new Map<string, Pretended>();
        const inside: Session = { ...session, read, transaction: (work) => work(read) };
        await read(`select ${functions}.hypopg_reset()`);
        const costs: Cost[] = [];
        try {
          for (const oid of hidden) await read(`select ${functions}.hypopg_hide_index($1::text::oid)`, [oid]);
          for (const set of sets) {
            await pretend(read, functions, pretended, refused, set);
            costs.push(costOf(await attempt(read, () => plan(inside, queryId)), pretended));
          }
        } finally {
          // Where the transaction failed the server has ended it, or it takes nothing more; then the next call resets.
          await read(`select ${functions}.hypopg_reset()`).catch(() => {});
          if (hidden.length > 0) await read(`select ${functions}.hypopg_unhide_all_indexes()`).catch(() => {});
        }
        return costs;
      }),
  };
}

/** Whether HypoPG can hide indexes: from 1.4 on. @throws StreamGateError when the database cannot be asked */
export async function canHide(session: Session, schema: string): Promise<boolean> {
  const [row] = await session.read<{ can: boolean }>(
    `select exists (
       select from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where n.nspname = $1 and p.proname = 'hypopg_hide_index'
     ) as can`,
    [schema],
  );
  return row?.can === true;
}

/** The cost of a plan, and the pretended indexes in it. */
function costOf(plan: Plan | null, pretended: ReadonlyMap<string, Pretended>): Cost {
  if (plan === null) return { total: Number.NaN, used: null };
  const named = new Set([...nodesOf(plan)].map(({ node }) => node.index));
  const used = [...pretended].filter(([, { name }]) => named.has(name)).map(([definition]) => definition);
  return { total: plan.root.estimate.totalCost, used };
}

/** Makes the pretended indexes those of the set: what is there already stays. */
async function pretend(
  read: Read,
  functions: string,
  pretended: Map<string, Pretended>,
  refused: Set<string>,
  set: readonly Candidate[],
): Promise<void> {
  const wanted = new Map(set.map((candidate) => [definitionOf(candidate), candidate]));
  const gone = [...pretended].filter(([definition]) => !wanted.has(definition));
  const missing = [...wanted].filter(([definition]) => !pretended.has(definition) && !refused.has(definition));
  if (gone.length > 0) {
    await read(`select ${functions}.hypopg_drop_index(oid::oid) from unnest($1::text[]) as gone(oid)`, [
      gone.map(([, { oid }]) => oid),
    ]);
    for (const [definition] of gone) pretended.delete(definition);
  }
  const made = missing.length === 0 ? [] : await create(read, functions, missing);
  if (made) for (const [i, index] of made.entries()) pretended.set(missing[i]?.[0] as string, index);
  // One that HypoPG cannot pretend must not keep the others from being tried.
  else for (const one of missing) await createAlone(read, functions, pretended, refused, one);
}

async function createAlone(
  read: Read,
  functions: string,
  pretended: Map<string, Pretended>,
  refused: Set<string>,
  entry: readonly [string, Candidate],
): Promise<void> {
  const [index] = (await create(read, functions, [entry])) ?? [];
  if (index) pretended.set(entry[0], index);
  else refused.add(entry[0]);
}

/** Pretends indexes, and returns them in their order; null where HypoPG refuses one of them. */
function create(
  read: Read,
  functions: string,
  missing: readonly (readonly [string, Candidate])[],
): Promise<Pretended[] | null> {
  return attempt(read, () =>
    read<Pretended>(
      `select made.indexrelid::text as oid, made.indexname as name
       from unnest($1::text[]) with ordinality as wanted(sql, place)
       cross join lateral ${functions}.hypopg_create_index(wanted.sql) as made
       order by wanted.place`,
      [missing.map(([, candidate]) => sqlOf(candidate, { concurrently: false }))],
    ),
  );
}
