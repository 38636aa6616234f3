import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createDatabase, type TestDatabase } from '../integration/database.ts';
import { run, type Service } from './service.ts';

let directory: string;
let env: Record<string, string>;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgate-start-'));
  env = { STREAMGATE_DIRECTORY: directory, PORT: '0' };
});

afterAll(() => rm(directory, { recursive: true, force: true }));

const isAlive = (pid: number) => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};

async function postmaster(): Promise<number> {
  return Number((await readFile(join(directory, 'postgres-18/data/postmaster.pid'), 'utf8')).split('\n')[0]);
}

test('the demo is loaded, audited and served; Ctrl-C leaves nothing behind; a second start finds it all again', async () => {
  const first = run(['start'], env);
  await first.prints(/ready/);
  expect(first.printed()).toMatch(/Demo .*loaded in/);
  for (const [path, least] of [
    ['indexes/unused', 2],
    ['indexes/duplicates', 2],
    ['indexes/fragmented', 2],
    ['queries/slow', 2],
    ['indexes/metrics', 40],
    ['queries/metrics', 20],
    ['recommendations', 8],
  ] as const) {
    const { status, body } = await first.get(`/optimization/${path}`);
    expect([path, status]).toEqual([path, 200]);
    expect(body.meta.total, path).toBeGreaterThanOrEqual(least);
  }
  const pid = await postmaster();
  expect(await first.end('SIGINT')).toBe(0);
  expect(isAlive(pid)).toBe(false);

  const second = run(['start'], env);
  await second.prints(/ready/);
  expect(second.printed()).not.toContain('loaded in');
  expect(await second.end('SIGTERM')).toBe(0);
});

test('a killed PostgreSQL is started again, and the next request is served', async () => {
  const service = run(['start'], env);
  await service.prints(/ready/);
  process.kill(await postmaster(), 'SIGKILL');
  await service.prints(/ended by SIGKILL; starting it again …\n.*runs again/);
  expect((await service.get('/optimization/health')).body).toMatchObject({ data: { status: 'up' } });
  expect((await service.get('/optimization/recommendations')).status).toBe(200);
  expect(await service.end()).toBe(0);
});

test.runIf(process.platform === 'linux')(
  'a StreamGate that was killed leaves no server behind, and the next one starts over its traces',
  async () => {
    const killed = run(['start'], env);
    await killed.prints(/ready/);
    const pid = await postmaster();
    // The launcher's only child is the service itself.
    const children = await readFile(`/proc/${killed.process.pid}/task/${killed.process.pid}/children`, 'utf8');
    process.kill(Number(children.trim()), 'SIGKILL');
    await killed.ended;
    const next = run(['start'], env);
    await next.prints(/ready/);
    expect(isAlive(pid)).toBe(false);
    expect(await next.end()).toBe(0);
  },
);

test.each([
  ['a second StreamGate in the same directory', () => ({}), /already runs here \(process \d+\)/],
  [
    'a busy port',
    (port: string) => ({ STREAMGATE_DIRECTORY: `${directory}-b`, PORT: port }),
    /Port \d+ is in use\. End/,
  ],
])('%s is told in one line, with exit code 2', async (_, change, message) => {
  const service = run(['start'], env);
  const [, port] = await service.prints(/http:\/\/127\.0\.0\.1:(\d+)\/#token/);
  const refused = run(['start'], { ...env, ...change(port ?? '') });
  await refused.prints(message);
  expect(await refused.ended).toBe(2);
  expect(await service.end()).toBe(0);
  await rm(`${directory}-b`, { recursive: true, force: true });
});

test('a database that cannot be reached is told in one line, with exit code 2 and without the password', async () => {
  const service = run(['start'], { ...env, DATABASE_URL: 'postgres://u:hunter2@127.0.0.1:1/d' });
  await service.prints(/Nothing listens at u@127\.0\.0\.1:1\/d/);
  expect(await service.ended).toBe(2);
  expect(service.printed()).not.toContain('hunter2');
});

test.each([
  [
    'a directory where nothing can be written',
    { STREAMGATE_DIRECTORY: '/dev/null/x' },
    /Nothing can be written to .*Set STREAMGATE_DIRECTORY/,
  ],
  [
    'a Redis that does not listen',
    { REDIS_URL: 'redis://127.0.0.1:1' },
    /Nothing listens at 127\.0\.0\.1:1\. Correct REDIS_URL/,
  ],
  ['a Redis that is no URL', { REDIS_URL: 'nonsense' }, /REDIS_URL: not a URL such as redis:/],
  ['a configuration that is not there', { STREAMGATE_CONFIG: 'nope.json' }, /nope\.json cannot be read \(ENOENT\)/],
])('%s is told in one line, with exit code 2', async (_, change, message) => {
  const service = run(['start'], { ...env, ...change });
  await service.prints(message);
  expect(await service.ended).toBe(2);
});

let own: TestDatabase;

test('a database of your own is audited and never written to', async () => {
  own = await createDatabase();
  await own.run(
    'create table orders (id int primary key, customer int, note text)',
    'insert into orders select i, i % 1000, md5(i::text) from generate_series(1, 50000) i',
    'create index orders_customer on orders (customer)',
    'create index orders_customer_again on orders (customer)',
    'analyze',
  );
  const before = await contents();
  const service: Service = run(['start'], { ...env, DATABASE_URL: own.url });
  await service.prints(/ready/);
  expect(service.printed()).toContain('(read only)');
  const { body } = await service.get('/optimization/indexes/duplicates');
  expect(body).toMatchObject({
    data: [{ subject: { database: own.name, index: 'orders_customer_again' } }],
    meta: { total: 1 },
  });
  expect(await service.end()).toBe(0);
  expect(await contents()).toEqual(before);
  await own.drop();
});

async function contents() {
  const [schemas, relations] = await own.run(
    'select nspname from pg_namespace order by 1',
    "select relname, relfilenode from pg_class where relnamespace = 'public'::regnamespace order by 1",
  );
  return [schemas?.rows, relations?.rows];
}
