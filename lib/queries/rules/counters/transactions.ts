/** What the rules over open transactions share. A snapshot sees them at one moment: what is seen twice is worth more. */
import type { Finding } from '../../../advice/finding.ts';
import type { OpenTransaction } from '../../catalog.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';

/** Transactions whose last statement is the same one, longest first; those of unknown statements are together. */
export interface TransactionGroup {
  subject: Finding['subject'];
  /** Undefined when nobody knows it. */
  statement: Statement | undefined;
  transactions: [OpenTransaction, ...OpenTransaction[]];
}

/** Groups transactions by their statement, so that each group is one finding that keeps its id. */
export function groupsOf(
  { server, statements }: QueryInput,
  transactions: readonly OpenTransaction[],
  length: (transaction: OpenTransaction) => number,
): TransactionGroup[] {
  const groups = new Map<string | null, [OpenTransaction, ...OpenTransaction[]]>();
  for (const transaction of transactions.toSorted((a, b) => length(b) - length(a))) {
    const group = groups.get(transaction.queryId);
    if (group) group.push(transaction);
    else groups.set(transaction.queryId, [transaction]);
  }
  return [...groups].map(([queryId, group]) => ({
    subject: { database: server.database, ...(queryId === null ? {} : { queryId }) },
    statement: statements.find((statement) => statement.queryId === queryId),
    transactions: group,
  }));
}

/**
 * Between statements of a transaction, one that failed after a savepoint included. One that failed as a whole has no
 * `xact_start` any more: it has given back its locks and its snapshot, and is not among those that are open.
 */
export function isIdle({ state }: OpenTransaction): boolean {
  return state.startsWith('idle in transaction');
}

/** Who they are, as evidence. */
export function peopleOf(transactions: readonly OpenTransaction[]): Finding['evidence'] {
  const roles = namesOf(transactions.map(({ role }) => role));
  const applications = namesOf(transactions.map(({ application }) => application));
  return {
    pids: transactions.map(({ pid }) => pid).join(', '),
    ...(roles === '' ? {} : { roles }),
    ...(applications === '' ? {} : { applications }),
  };
}

/** How many transactions' worth of dead rows the group keeps, as evidence. */
export function horizonOf(transactions: readonly OpenTransaction[]): Finding['evidence'] {
  const ages = transactions.flatMap(({ xminAge }) => (xminAge === null ? [] : [xminAge]));
  return ages.length === 0 ? {} : { xminAge: Math.max(...ages) };
}

function namesOf(names: readonly (string | null)[]): string {
  return [...new Set(names.filter((name) => name))].join(', ');
}
