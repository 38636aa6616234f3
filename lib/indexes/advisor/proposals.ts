/** What an audit asks the advisor for: where HypoPG is there, the indexes that the statements of the database should have. */
import { StreamGateError } from '../../errors.ts';
import type { Note, Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { adviseDatabase, type Pricing, type ProposedIndex } from './advise-database.ts';
import { hypopgPricing } from './pricing.ts';
import type { Proposal } from './proposal.ts';
import { workloadOfDatabase } from './workload.ts';

/** An audit has other things to do: whatever was found by then is proposed. */
const limitMs = 5_000;

/** So much smaller than the database new indexes stay, in parts of it: nobody asked for a second database. */
const mostOfDatabase = 0.2;

/**
 * Adds what the advisor proposes to a snapshot. Without HypoPG nothing is proposed here: the rules over plans suggest indexes
 * from statistics then.
 *
 * @throws StreamGateError when the database cannot be asked
 */
export async function withProposals<Snapshot extends { notes: Note[] }>(
  session: Session,
  server: Server,
  snapshot: Snapshot,
): Promise<Snapshot & { proposals?: Proposal[] }> {
  const pricing = hypopgPricing(session, server);
  if (!pricing || !server.extensions.pg_stat_statements) return snapshot;
  try {
    const { proposals, notes } = await propose(session, server, pricing);
    return { ...snapshot, proposals, notes: [...snapshot.notes, ...notes] };
  } catch (error) {
    if (!(error instanceof StreamGateError) || error.code === 'database-unreachable') throw error;
    // The rest of the audit is worth something without it.
    const message = `No index was proposed: the advisor could not ask the database (${error.code}). Its role needs EXECUTE on the functions of HypoPG, and SELECT on the tables.`;
    return { ...snapshot, notes: [...snapshot.notes, { code: 'advice-failed', rules: ['indexes/missing'], message }] };
  }
}

async function propose(
  session: Session,
  server: Server,
  pricing: Pricing,
): Promise<{ proposals: Proposal[]; notes: Note[] }> {
  const deadline = Date.now() + limitMs;
  const workload = await workloadOfDatabase(session, server);
  const advice = await adviseDatabase(session, server, {
    // What is not seen of the statements the other audit tells.
    workload: { ...workload, notes: [] },
    pricing,
    budgetBytes: server.sizeBytes === null ? null : server.sizeBytes * mostOfDatabase,
    isOver: () => Date.now() >= deadline,
  });
  const { costBefore } = advice.workload;
  const proposals = advice.indexes.map((index) => proposalOf(index, costBefore));
  return { proposals, notes: advice.notes };
}

function proposalOf(index: ProposedIndex, costBefore: number): Proposal {
  const { schema, table, name, columns, sql, undoSql, caution, sizeBytes, gain, write, helps, why } = index;
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
    helps: helps.flatMap(({ queryId, costBefore: before, costAfter }) => (costAfter < before ? [queryId] : [])),
    why: why.map(({ part, place, why: reason }) => `${place === 'key' ? '' : `${place} `}${part}: ${reason}`),
  };
}
