import { setTimeout as delay } from 'node:timers/promises';
import type { AuditEvent, AuditReport } from '../functions/audits/audit.ts';
import type { Part } from '../lib/parts.ts';

/** What is told of the rounds. */
export interface Listener {
  /** Once, after the first round in which every audit succeeded, with the number of findings. */
  onFirstRound(findings: number): void;
  onFailure(part: Part, error: Error): void;
}

type Audit = (event: AuditEvent) => Promise<AuditReport>;

/**
 * A stand-in for EventBridge Scheduler: calls every audit function now and then at a rate. An audit
 * that fails is told of and tried again in the next round.
 *
 * @param rest waits between two rounds, until it is time or the signal says to end
 * @returns what ends it, after the audit that runs
 */
export function startScheduler(
  audits: Partial<Record<Part, Audit>>,
  everyMs: number,
  listener: Listener,
  rest: (ms: number, signal: AbortSignal) => Promise<unknown> = pause,
): { stop(): Promise<void> } {
  const stopping = new AbortController();
  const round = async () => {
    const time = new Date().toISOString();
    const reports: AuditReport[] = [];
    for (const [part, audit] of Object.entries(audits) as [Part, Audit][]) {
      if (stopping.signal.aborted) break;
      try {
        reports.push(await audit({ time }));
      } catch (error) {
        listener.onFailure(part, error as Error);
      }
    }
    return reports.length === Object.keys(audits).length ? reports : undefined;
  };
  const rounds = async () => {
    for (let told = false; !stopping.signal.aborted; ) {
      const reports = await round();
      if (reports && !told) {
        told = true;
        const results = reports.flatMap((report) => Object.values(report));
        listener.onFirstRound(results.reduce((all, { findings }) => all + findings, 0));
      }
      await rest(everyMs, stopping.signal);
    }
  };
  const running = rounds();
  return {
    stop: () => {
      stopping.abort();
      return running;
    },
  };
}

function pause(ms: number, signal: AbortSignal): Promise<unknown> {
  return delay(ms, undefined, { signal }).catch(() => {});
}
