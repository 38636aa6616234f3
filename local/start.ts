import { randomBytes } from 'node:crypto';
import { join, relative, resolve } from 'node:path';
import cliProgress from 'cli-progress';
import pc from 'picocolors';
import { handler as auditCache } from '../functions/audits/cache.ts';
import { handler as auditIndexes } from '../functions/audits/indexes.ts';
import { handler as auditQueries } from '../functions/audits/queries.ts';
import { handler as auditResources } from '../functions/audits/resources.ts';
import { closeEnvironment, useEdge } from '../functions/environment.ts';
import { keptHistory } from '../functions/kept-history.ts';
import { readConfiguration } from '../lib/advice/configuration.ts';
import { roster } from '../lib/audit.ts';
import { hashToken } from '../lib/http/authentication.ts';
import { readServer } from '../lib/postgres/server.ts';
import { withSession } from '../lib/postgres/session.ts';
import { describeUrl } from '../lib/postgres/url.ts';
import {
  cacheEntries,
  type Database,
  type LocalSettings,
  readDatabases,
  readLocalSettings,
  scopes,
} from '../lib/settings.ts';
import { version } from '../lib/version.ts';
import { createEdge } from './cdn.ts';
import { ensureDemo } from './demo/load.ts';
import { startWorkload } from './demo/workload.ts';
import { createGateway, listen } from './gateway.ts';
import { lockDirectory } from './lock.ts';
import { greetRedis, startRedis } from './redis.ts';
import { startScheduler } from './scheduler.ts';
import { type SupervisedPostgres, supervisePostgres } from './supervisor.ts';

/** On one machine a minute is often enough, and soon enough to see the effect of a change. */
const auditEveryMs = 60_000;

/** A laptop needs no more; a deployment keeps longer. */
const retentionDays = '2';

/**
 * `streamgate start`: everything on this machine. Resolves when it has been told to end (Ctrl-C) and
 * every service has stopped.
 *
 * @throws StreamGateError when something cannot be started, or was lost for good
 */
export async function start(): Promise<void> {
  const stack = new AsyncDisposableStack();
  const told = new Promise<void>((end) => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end());
  });
  try {
    await Promise.race([run(readLocalSettings(), stack), told]);
    say('\nStopping …');
  } finally {
    await stack.disposeAsync();
  }
  // Whatever was still being started has nobody left to serve.
  process.exit(0);
}

/** Starts everything, and then runs until something is lost for good. */
async function run(local: LocalSettings, stack: AsyncDisposableStack): Promise<void> {
  const begun = performance.now();
  say(pc.bold(`StreamGate ${version}`));
  const directory = resolve(local.STREAMGATE_DIRECTORY);
  stack.defer(lockDirectory(directory));
  let isReady = false;
  // The port is taken first, so that a busy one is told before anything is started.
  const gateway = await createGateway(() => isReady);
  const origin = await listen(gateway, 0, '127.0.0.1');
  stack.defer(() => {
    gateway.closeAllConnections();
    gateway.close();
  });
  const edge = createEdge(() => `http://127.0.0.1:${origin}`, { maxEntries: cacheEntries.l3 });
  const port = await listen(edge.server, local.PORT, local.HOST);
  stack.defer(() => edge.close());
  useEdge(edge.cdn, () => {
    const { hits, staleHits, revalidated, misses, entries } = edge.stats();
    return { hits: hits + staleHits + revalidated, misses, entries, maxEntries: cacheEntries.l3 };
  });

  // What is only read, and what is only looked at, before anything is started.
  readConfiguration(process.env.STREAMGATE_CONFIG, roster);
  if (local.REDIS_URL) await greetRedis(local.REDIS_URL);
  const monitored = readDatabases();
  for (const database of monitored) await greet(database);
  const embedded =
    monitored.length > 0 && local.STREAMGATE_HISTORY_URL
      ? undefined
      : await embed(join(directory, 'postgres-18'), stack);
  const token = local.STREAMGATE_TOKEN ?? randomBytes(18).toString('base64url');
  if (embedded) await prepareDatabases(embedded, monitored.length === 0, stack);
  await secondLevel(local, join(directory, 'redis'), stack);
  line('L3 cache', 'an HTTP cache before the API, purged by tag');
  process.env.STREAMGATE_RETENTION_DAYS ??= retentionDays;
  process.env.STREAMGATE_TOKENS = JSON.stringify({
    ...JSON.parse(process.env.STREAMGATE_TOKENS || '{}'),
    [hashToken(token)]: scopes,
  });
  stack.defer(closeEnvironment);
  await (await keptHistory()).migrate();
  isReady = true;
  const address = `http://${local.HOST === '0.0.0.0' ? '127.0.0.1' : local.HOST}:${port}`;
  line('Dashboard', pc.underline(`${address}/#token=${token}`));
  line('API', `curl -H "Authorization: Bearer ${token}" ${address}/optimization/recommendations`);

  const audits = { queries: auditQueries, indexes: auditIndexes, cache: auditCache, resources: auditResources };
  const scheduler = startScheduler(audits, auditEveryMs, {
    onFirstRound: (findings) =>
      say(`\n${pc.green('ready')} in ${seconds(begun)}: ${findings} findings. Audits run every minute; Ctrl-C ends.`),
    onFailure: (part, error) => say(`${pc.red('audit failed')}  ${part}: ${error.message}`),
  });
  stack.defer(() => scheduler.stop());
  await (embedded?.lost ?? new Promise(() => {}));
}

/** Says hello to a database, so that a wrong URL is told at once. */
async function greet({ name, url }: Database): Promise<void> {
  const { version: postgres } = await withSession(url, (session) => readServer(session));
  line('Database', `${name} on PostgreSQL ${postgres}, ${describeUrl(url)} (read only)`);
}

async function embed(directory: string, stack: AsyncDisposableStack): Promise<SupervisedPostgres> {
  const begun = performance.now();
  const postgres = await supervisePostgres({ directory }, (message) => say(`${pc.yellow('PostgreSQL')}  ${message}`));
  stack.defer(() => postgres.stop());
  line('PostgreSQL', `embedded, in ${relative('.', directory) || directory}, started in ${seconds(begun)}`);
  return postgres;
}

/** Makes the embedded server's databases, the demo's where it is wanted, and points the functions at them. */
async function prepareDatabases(
  embedded: SupervisedPostgres,
  demo: boolean,
  stack: AsyncDisposableStack,
): Promise<void> {
  if (demo) {
    const url = await loadDemo(embedded);
    process.env.DATABASE_URL = url;
    const workload = startWorkload(url);
    stack.defer(() => workload.stop());
    await workload.firstRound;
  }
  process.env.STREAMGATE_HISTORY_URL ||= await embedded.createDatabase('streamgate');
}

async function loadDemo(embedded: SupervisedPostgres): Promise<string> {
  const begun = performance.now();
  const bar = new cliProgress.SingleBar(
    {
      format: '  Demo        loading {bar} {percentage} %  {what}',
      barsize: 24,
      hideCursor: true,
      clearOnComplete: true,
      noTTYOutput: false,
    },
    cliProgress.Presets.shades_classic,
  );
  let drawn = false;
  const { url, created } = await ensureDemo(embedded, (done, total, what) => {
    if (!drawn) bar.start(total, 0, { what });
    drawn = true;
    bar.update(done, { what });
  });
  if (drawn) bar.stop();
  line(
    'Demo',
    `a video service with faults planted in it: local/demo/README.md${created ? `, loaded in ${seconds(begun)}` : ''}`,
  );
  return url;
}

/** Finds or starts the server of the second cache level. */
async function secondLevel(local: LocalSettings, directory: string, stack: AsyncDisposableStack): Promise<void> {
  if (local.REDIS_URL) return line('L2 cache', `Redis at ${new URL(local.REDIS_URL).host}`);
  const redis = await startRedis(directory);
  if (!redis) return line('L2 cache', 'PostgreSQL (no REDIS_URL, and no valkey-server or redis-server on the PATH)');
  stack.defer(() => redis.stop());
  process.env.REDIS_URL = redis.url;
  line('L2 cache', `a private ${redis.program}`);
}

function line(name: string, value: string): void {
  say(`  ${name.padEnd(12)}${value}`);
}

function say(words: string): void {
  process.stdout.write(`${words}\n`);
}

function seconds(since: number): string {
  return `${((performance.now() - since) / 1000).toFixed(1)} s`;
}
