import { sqlState } from '../../postgres/errors.ts';

/**
 * Runs statements in an open transaction such that a refusal of the server does not end it.
 *
 * @param run runs one statement on the connection of the transaction
 * @returns null where the server refused one of them; what they did is taken back then
 * @throws StreamGateError where the server cannot be asked any more
 */
export async function attempt<Result>(
  run: (sql: string) => Promise<unknown>,
  work: () => Promise<Result>,
): Promise<Result | null> {
  await run('savepoint streamgate_attempt');
  try {
    const result = await work();
    await run('release savepoint streamgate_attempt');
    return result;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    await run('rollback to savepoint streamgate_attempt');
    return null;
  }
}

/** Whether the server answered with an error, and can be asked on. */
export function isRefusal(error: unknown): boolean {
  const state = sqlState(error);
  // Class 57 is the server's or its operator's doing: but for a statement that took too long it ends the connection.
  return state !== undefined && (!state.startsWith('57') || state === '57014');
}
