import { type History, historyOver } from '../lib/postgres/history.ts';
import { historyConnection } from './environment.ts';

/** The whole history, over the connection of the environment: what writes it weighs more than an endpoint should. */
export async function keptHistory(): Promise<History> {
  return historyOver(await historyConnection());
}
