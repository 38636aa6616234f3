import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { changePassword } from '../../../functions/second-level.ts';
import { accessString } from '../../../infra/second-level.ts';
import { createCache } from '../../../lib/cache/index.ts';
import { connectRedis, redisStore } from '../../../lib/cache/redis.ts';
import { startOne, type TestRedis } from '../lib/cache/redis-servers.ts';

const server: TestRedis | undefined = await startOne();

afterAll(() => server?.stop());

/** The URL of the server, for the user that the stack makes. */
function urlFor(password: string): string {
  const url = new URL(server?.url ?? '');
  url.username = 'streamgate';
  url.password = password;
  return url.href;
}

describe.runIf(server)('the user of the second level', () => {
  let owner: Redis;
  const allow = (password: string) =>
    owner.call('ACL', ['SETUSER', 'streamgate', 'reset', `>${password}`, ...accessString.split(' ')]);

  beforeAll(async () => {
    owner = new Redis(server?.url ?? '');
    await allow('first');
  });

  afterAll(() => owner?.disconnect());

  test.each(['streamgate', 'streamgate-orders'])('may do all that the cache does in %s', async (namespace) => {
    const client = await connectRedis(urlFor('first'));
    const levels = createCache({ l2: redisStore(client, { namespace, maxEntries: 2 }) });
    let loads = 0;
    const answers = levels.define('answer', {
      load: async (key: string) => `${key} ${++loads}`,
      fresh: '1m',
      tags: (_, key: string) => [`tag:${key}`],
    });
    for (const key of ['a', 'b', 'c', 'a']) expect(await answers.get(key)).toContain(key);
    await levels.invalidate({ tags: ['tag:a'] });
    const before = loads;
    await answers.get('a');
    expect(loads).toBe(before + 1);
    const { l2 } = await levels.fleetStats(0);
    expect([l2.errors, l2.timeOuts, l2.writesFailed]).toEqual([0, 0, 0]);
    expect(l2.writes).toBeGreaterThan(0);
    await levels.close();
    expect(await redisStore(client, { namespace }).size()).toMatchObject({ entries: expect.any(Number) });
    client.disconnect();
  });

  test.each([['get', 'other'], ['flushall'], ['config', 'get', '*'], ['keys', '*'], ['acl', 'list'], ['info']])(
    'may not: %s %s',
    async (command, ...rest) => {
      const client = new Redis(urlFor('first'), { enableReadyCheck: false }).on('error', () => {});
      await expect(client.call(command, rest)).rejects.toThrow(/NOPERM/);
      client.disconnect();
    },
  );

  test('a connection that is lost comes back with the password of now', async () => {
    const client = await connectRedis(urlFor('first'));
    expect(await client.ping()).toBe('PONG');
    await allow('second');
    changePassword(client, 'second');
    await owner.call('CLIENT', ['KILL', 'USER', 'streamgate']);
    expect(await client.ping()).toBe('PONG');
    client.disconnect();
  });
});
