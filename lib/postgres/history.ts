import { connectHistory, type HistoryConnection } from './history/connection.ts';
import { type KeptHistory, keepHistory } from './history/keep.ts';
import { type ReadableHistory, readHistory } from './history/read.ts';

export type { AuditRecord } from './history/keep.ts';
export type { AuditHead, Page, RowChoice } from './history/read.ts';
export type { StatementWindow } from './history/windows.ts';

/** Where snapshots, findings and recommendations are kept: a PostgreSQL schema named `streamgate`. */
export interface History extends ReadableHistory, KeptHistory {}

/** Opens the history. Nothing is connected before the first statement. */
export function openHistory(url: string): History {
  return historyOver(connectHistory(url));
}

/** All of the history, at the end of a connection that others use, too. */
export function historyOver(connection: HistoryConnection): History {
  const readable = readHistory(connection);
  return { ...readable, ...keepHistory(connection, readable.samples) };
}
