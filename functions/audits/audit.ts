import type { EventBridgeEvent } from 'aws-lambda';
import { type RuleConfiguration, readConfiguration } from '../../lib/advice/configuration.ts';
import type { Finding } from '../../lib/advice/finding.ts';
import {
  type AuditResult,
  type CollectedFunctions,
  roster,
  runAudit,
  runCacheAudit,
  runResourceAudit,
} from '../../lib/audit.ts';
import type { InvocationContext } from '../../lib/cache/index.ts';
import { StreamGateError } from '../../lib/errors.ts';
import type { DatabasePart, Part } from '../../lib/parts.ts';
import type { History } from '../../lib/postgres/history.ts';
import type { Database } from '../../lib/settings.ts';
import { renewAnswers } from '../answers.ts';
import { cache, readCacheStatistics, settings } from '../environment.ts';
import type { CacheFacts } from '../facts.ts';
import { keptHistory } from '../kept-history.ts';
import { monitoredAudit } from '../monitoring.ts';
import { findingsLine } from './counted.ts';

const day = 86_400_000;
const longestClockDifferenceMs = 300_000;

/** What the scheduler sends: the time for which it called, the same again when it calls again. */
export type AuditEvent = Pick<EventBridgeEvent<string, unknown>, 'time'>;

/** What is known of the levels of the cache beside the event. */
export type Told = AuditEvent & Partial<CacheFacts>;

/**
 * What Lambda sends when functions/facts.ts has succeeded, which is scheduled in the place of the cache's audit where there is more to ask.
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-retain-records.html
 */
export interface FactsFound {
  responsePayload: CacheFacts;
}

/** What an audit function answers for each database. Findings are counted: Lambda answers with 6 MB at most. */
export type AuditReport = Record<string, { kept: boolean; findings: number }>;

/**
 * Makes the handler of a scheduled audit. Every configured database is audited, one after the other;
 * one that fails does not keep the others from their audit, and fails the invocation at the end, so
 * that it is tried again: what was kept is not done twice.
 */
export function auditHandler(part: DatabasePart): AuditHandler {
  return handlerOf(part, (databases) => databases, runAudit.bind(null, part));
}

/** Makes the handler of the audit of the cache. */
export function cacheAuditHandler(): AuditHandler {
  return handlerOf(
    'cache',
    (databases) => databases.slice(0, 1),
    ({ name }, window, store, rules, told: Told) =>
      runCacheAudit(name, window, store, rules, () => readCacheStatistics(told.edge), told),
  );
}

/**
 * Makes the handler of the audit of the functions.
 *
 * @param collect given by who needs it: it has the client of CloudWatch in it, which the other audits do without
 */
export function resourceAuditHandler(collect: () => Promise<CollectedFunctions>): AuditHandler {
  return handlerOf(
    'resources',
    (databases) => databases.slice(0, 1),
    ({ name }, window, store, rules) => runResourceAudit(name, window, store, rules, collect),
  );
}

/** The handler of a scheduled audit, as Lambda calls it. */
export type AuditHandler = (event: AuditEvent | FactsFound, context?: InvocationContext) => Promise<AuditReport>;

function handlerOf(
  part: Part,
  choose: (databases: readonly Database[]) => readonly Database[],
  audit: (
    database: Database,
    window: Date,
    store: History,
    rules: RuleConfiguration,
    told: Told,
  ) => Promise<AuditResult>,
): AuditHandler {
  return monitoredAudit(async (event: AuditEvent | FactsFound, context?: InvocationContext) => {
    const told = 'responsePayload' in event ? event.responsePayload : event;
    const window = windowOf(told.time);
    const { databases, retentionDays, configPath, stage } = await settings();
    const store = await keptHistory();
    const rules = readConfiguration(configPath, roster);
    await using _ = (await cache()).scope(context);
    await store.migrate();
    const report: AuditReport = {};
    const failures: Error[] = [];
    const found: Finding[] = [];
    for (const database of choose(databases)) {
      try {
        const { kept, findings } = await audit(database, window, store, rules, told);
        report[database.name] = { kept, findings: findings.length };
        if (kept) found.push(...findings);
        // Of a window that was kept before, too: perhaps this is what did not come about then.
        await renewAnswers(part, database.name);
      } catch (error) {
        failures.push(error as Error);
      }
    }
    await store.prune(new Date(Date.now() - retentionDays * day));
    if (Object.values(report).some(({ kept }) => kept)) tellCloudWatch(part, found, stage);
    if (failures.length > 0)
      throw failures.length === 1 ? failures[0] : new AggregateError(failures, failures.map(String).join(' '));
    return report;
  });
}

/** In the log, where alarms are made of it. */
function tellCloudWatch(part: Part, findings: readonly Finding[], stage: string): void {
  const line = process.env.AWS_LAMBDA_FUNCTION_NAME && findingsLine(part, findings, stage, Date.now());
  if (line) process.stdout.write(`${line}\n`);
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
