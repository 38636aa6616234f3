import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bundle } from '../../../infra/bundle.ts';
import { type EmbeddedPostgres, startPostgres } from '../../../local/postgres.ts';

const run = promisify(execFile);

let directory: string;
let server: EmbeddedPostgres;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamgate-audit-bundle-'));
  [server] = await Promise.all([
    startPostgres({ directory: join(directory, 'postgres'), settings: { fsync: 'off' } }),
    bundle(join(directory, 'functions')),
  ]);
}, 60_000);

afterAll(async () => {
  await server?.stop();
  rmSync(directory, { recursive: true, force: true });
});

test('the bytes that are deployed audit a database, and answer with what they found', async () => {
  const client = new pg.Client({ connectionString: server.url('postgres') });
  onTestFinished(() => client.end());
  await client.connect();
  await client.query('create extension pg_stat_statements');
  await client.query('create database history');
  await client.query("select count(*) from pg_class where relname = 'orders'");

  const script = `
    const { handler: audit } = await import('./audits/queries/index.mjs');
    const { handler: list } = await import('./optimization/queries/metrics/index.mjs');
    const report = await audit({ time: '2026-01-31T12:00:00Z' });
    const requestContext = { authorizer: { lambda: { scopes: 'read' } } };
    const answer = await list({ headers: {}, queryStringParameters: {}, requestContext }, { getRemainingTimeInMillis: () => 5_000 });
    process.stdout.write(JSON.stringify({ report, answer }), () => process.exit());`;
  const { stdout } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: join(directory, 'functions'),
    env: { DATABASE_URL: server.url('postgres'), STREAMGATE_HISTORY_URL: server.url('history') },
  });

  const { report, answer } = JSON.parse(stdout);
  expect(report.postgres.kept).toBe(true);
  expect(answer.statusCode).toBe(200);
  const statements: { query: string; kind: string }[] = JSON.parse(answer.body).data;
  // That it is known to be a select is the parser's word, which runs from the .wasm file next to the bundle.
  expect(statements.find(({ query }) => query.includes('pg_class where relname'))?.kind).toBe('select');
}, 30_000);
