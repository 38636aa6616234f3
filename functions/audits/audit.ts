import type { EventBridgeEvent } from 'aws-lambda';
import { type Part, runAudit } from '../../lib/audit.ts';
import { StreamGateError } from '../../lib/errors.ts';
import { configuration, history, settings } from '../environment.ts';

const day = 86_400_000;
const longestClockDifferenceMs = 300_000;

/** What the scheduler sends: the time for which it called, the same again when it calls again. */
export type AuditEvent = Pick<EventBridgeEvent<string, unknown>, 'time'>;

/** What an audit function answers for each database. Findings are counted: Lambda answers with 6 MB at most. */
export type AuditReport = Record<string, { kept: boolean; findings: number }>;

/**
 * Makes the handler of a scheduled audit. Every configured database is audited, one after the other;
 * one that fails does not keep the others from their audit, and fails the invocation at the end, so
 * that it is tried again: what was kept is not done twice.
 */
export function auditHandler(part: Part): (event: AuditEvent) => Promise<AuditReport> {
  return async ({ time }) => {
    const window = windowOf(time);
    const { databases, retentionDays } = await settings();
    const store = await history();
    const rules = await configuration();
    await store.migrate();
    const report: AuditReport = {};
    const failures: Error[] = [];
    for (const database of databases) {
      try {
        const { kept, findings } = await runAudit(part, database, window, store, rules);
        report[database.name] = { kept, findings: findings.length };
      } catch (error) {
        failures.push(error as Error);
      }
    }
    await store.prune(new Date(Date.now() - retentionDays * day));
    if (failures.length > 0)
      throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.map(String).join(' '));
    return report;
  };
}

/** The scheduled time is the window: the scheduler sends the same one again when it tries again. */
function windowOf(time: string): Date {
  const window = new Date(time);
  // The newest window is what is answered: one from the future would be so for ever.
  if (Number.isNaN(window.getTime()) || window.getTime() > Date.now() + longestClockDifferenceMs) {
    throw new StreamGateError(
      'configuration-invalid',
      `The audit's event has the time "${time}". Send the time for which it was scheduled: {"time":"2026-01-31T12:00:00Z"}.`,
    );
  }
  return window;
}
