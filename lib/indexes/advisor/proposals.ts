/** What an audit asks the advisor for: where HypoPG is there, the indexes that the statements of the database should have. */
import { StreamGateError } from '../../errors.ts';
import type { Note, Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { type AdvisedQuery, adviseDatabase, type Pricing, type ProposedIndex } from './advise-database.ts';
import type { CostCache } from './cost-cache.ts';
import { hypopgPricing } from './pricing.ts';
import type { Proposal } from './proposal.ts';
import { type Workload, workloadOfDatabase } from './workload.ts';

/** An audit has other things to do: whatever was found by then is proposed. */
const limitMs = 5_000;

/** So much smaller than the database new indexes stay, in parts of it: nobody asked for a second database. */
const mostOfDatabase = 0.2;

/** What no proposal means nothing for. */
const rules = ['indexes/missing'];

/** A snapshot with what the advisor proposes, and what it knows by now. */
export interface Proposed<Snapshot> {
  snapshot: Snapshot & { proposals?: Proposal[] };
  costs?: CostCache;
}

/**
 * Adds what the advisor proposes to a snapshot. Without HypoPG nothing is proposed here, and a note says so: the rules over plans
 * suggest indexes from statistics then.
 *
 * @param known what the advisor knew at the end of an earlier audit: this one goes on from there
 * @throws StreamGateError when the database cannot be asked
 */
export async function withProposals<Snapshot extends { notes: Note[] }>(
  session: Session,
  server: Server,
  snapshot: Snapshot,
  known?: CostCache,
): Promise<Proposed<Snapshot>> {
  const pricing = hypopgPricing(session, server);
  const without = (note: Note) => ({ snapshot: { ...snapshot, notes: [...snapshot.notes, note] } });
  if (!pricing) return without(hypopgMissing(server));
  try {
    const { proposals, notes, costs } = await propose(session, server, pricing, known);
    return {
      snapshot: { ...snapshot, ...(proposals ? { proposals } : {}), notes: [...snapshot.notes, ...notes] },
      ...(costs ? { costs } : {}),
    };
  } catch (error) {
    if (!(error instanceof StreamGateError) || error.code === 'database-unreachable') throw error;
    // The rest of the audit is worth something without it.
    const message = `No index was proposed: the advisor could not ask the database (${error.code}). Its role needs EXECUTE on the functions of HypoPG, and SELECT on the tables.`;
    return without({ code: 'advice-failed', rules, message });
  }
}

function hypopgMissing({ isStandby }: Server): Note {
  const where = isStandby ? ' on the primary' : '';
  return {
    code: 'hypopg-missing',
    rules,
    message: `No index was proposed for the statements as a whole: HypoPG, by which PostgreSQL tells what an index would save before it is built, is not installed. CREATE EXTENSION hypopg${where} (RDS, Aurora and Cloud SQL have it; Debian: postgresql-NN-hypopg). Rules over plans suggest indexes all the same, one statement at a time, and streamgate advise estimates.`,
  };
}

async function propose(
  session: Session,
  server: Server,
  pricing: Pricing,
  known: CostCache | undefined,
): Promise<{ proposals?: Proposal[]; notes: Note[]; costs?: CostCache }> {
  const deadline = Date.now() + limitMs;
  const workload = await workloadOfDatabase(session, server);
  if (workload.statements.length === 0 && workload.notes.length > 0)
    return { notes: unseen(workload, 'No index was proposed.') };
  const advice = await adviseDatabase(session, server, {
    workload: { ...workload, notes: [] },
    pricing,
    budgetBytes: server.sizeBytes === null ? null : server.sizeBytes * mostOfDatabase,
    deadline,
    ...(known ? { resume: known } : {}),
  });
  const { costBefore } = advice.workload;
  const queries = new Map(advice.queries.map((query) => [query.queryId, query]));
  const proposals = advice.indexes.map((index) => proposalOf(index, costBefore, queries));
  // Some statement can nearly never be explained. That others got no advice any more means something nevertheless.
  const notes = advice.notes.map((note) =>
    note.code === 'advice-unexplained' && advice.queries.length > 0 ? { ...note, rules: [] } : note,
  );
  return {
    proposals,
    notes: [...unseen(workload, 'Indexes were proposed without what could not be seen.'), ...notes],
    costs: advice.learned,
  };
}

/** What is not seen of the statements the other audit tells as well, but of other rules. */
function unseen({ notes }: Workload, what: string): Note[] {
  return notes
    .filter((note) => note.rules.length > 0)
    .map(({ code, message }) => ({
      code: `advice-${code}`,
      rules,
      message: `${what} ${message}`,
    }));
}

function proposalOf(index: ProposedIndex, costBefore: number, queries: ReadonlyMap<string, AdvisedQuery>): Proposal {
  const { schema, table, name, columns, sql, undoSql, caution, sizeBytes, gain, write, helps, why } = index;
  const helped = helps.flatMap(({ queryId, costBefore: before, costAfter }) => (costAfter < before ? [queryId] : []));
  const percent = (cost: number) => (costBefore > 0 ? (100 * cost) / costBefore : 0);
  return {
    schema,
    table,
    name,
    columns,
    sql,
    undoSql,
    caution,
    sizeBytes,
    savedPercent: percent(gain),
    writePercent: percent(write.cost),
    helps: helped,
    costs: helped.flatMap((queryId) => {
      const query = queries.get(queryId);
      return query ? [{ queryId, costBefore: query.costBefore, costAfter: query.costAfter }] : [];
    }),
    why: why.map(({ part, place, why: reason }) => `${place === 'key' ? '' : `${place} `}${part}: ${reason}`),
  };
}
