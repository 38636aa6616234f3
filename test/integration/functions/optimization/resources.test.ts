import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Finding } from '../../../../lib/advice/finding.ts';
import { openHistory } from '../../../../lib/postgres/history.ts';
import type { MemoryStatistics, MemoryTrends } from '../../../../lib/resources/snapshot.ts';
import { type Api, configure, serveApi } from '../../api.ts';
import { createDatabase, type TestDatabase } from '../../database.ts';
import { auditFunctions } from '../audits/audit-functions.ts';

let kept: TestDatabase;
let api: Api;

beforeAll(async () => {
  kept = await createDatabase({ extensions: false });
  const history = openHistory(kept.url);
  await history.migrate();
  await history.close();
  await configure({ DATABASE_URL: kept.url, STREAMGATE_HISTORY_URL: kept.url });
  const script = join(import.meta.dirname, 'shop-process.ts');
  const run = (name: string, bytes: number) =>
    promisify(execFile)(process.execPath, [script, name, String(bytes), kept.url]);
  await run('leaky', 2_048);
  await run('sound', 0);
  await auditFunctions(new Date());
  api = await serveApi();
}, 120_000);

afterAll(async () => {
  await api?.close();
  await kept?.drop();
});

describe('of two functions, one of which leaks 2 kB an invocation', () => {
  test('only that one is said to leak, and how much', async () => {
    const { body } = await api.get('/optimization/memory/trends');
    const { data } = body as { data: MemoryTrends };
    const [leaky, sound] = ['leaky', 'sound'].map((name) => data.functions.find((each) => each.function === name));
    expect(leaky?.leak).toMatchObject({ verdict: 'leak', heap: { floors: 'forced' } });
    expect(leaky?.leak.heap.perInvocation).toBeGreaterThan(2_048 * 0.75);
    expect(leaky?.leak.heap.perInvocation).toBeLessThan(2_048 * 1.25);
    expect(sound?.leak.heap.verdict).toBe('healthy');
    expect(leaky?.points.some(({ heapFloorBytes }) => heapFloorBytes !== null)).toBe(true);
  });

  test('it is recommended to mend that one, and nothing of the other', async () => {
    const { body } = await api.get('/optimization/recommendations');
    const found = (body as { data: Finding[] }).data.filter(({ rule }) => rule.startsWith('memory/'));
    expect(found).toMatchObject([{ rule: 'memory/leak', subject: { function: 'leaky (prod)' } }]);
  });

  test('both are within the target of 500 MB', async () => {
    const { body } = await api.get('/optimization/memory/stats');
    const { data } = body as { data: MemoryStatistics };
    expect(data.functions).toMatchObject([
      { function: 'leaky', invocations: 2_000, isWithinTarget: true },
      { function: 'sound', invocations: 2_000, isWithinTarget: true },
    ]);
  });
});
