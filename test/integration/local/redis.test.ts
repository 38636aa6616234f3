import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { startRedis } from '../../../local/redis.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'streamgate-redis-'));
});

afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true, force: true });
});

const refuses = (port: number) =>
  new Promise((tell) => {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => tell(true));
    socket.on('connect', () => socket.destroy(tell(false) as undefined));
  });

test('there is none where no program is on the PATH', async () => {
  vi.stubEnv('PATH', directory);
  expect(await startRedis(directory)).toBeUndefined();
});

test('a program that does not start is told by its name', async () => {
  await writeFile(join(directory, 'valkey-server'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  vi.stubEnv('PATH', `${directory}${delimiter}${process.env.PATH}`);
  await expect(startRedis(directory)).rejects.toThrow('valkey-server did not start. Set REDIS_URL');
});

test('the one on the PATH is started privately, and stopped', async ({ skip }) => {
  const redis = await startRedis(directory);
  if (!redis) return skip('Neither valkey-server nor redis-server is installed.');
  const port = Number(new URL(redis.url).port);
  expect(await refuses(port)).toBe(false);
  await redis.stop();
  expect(await refuses(port)).toBe(true);
});
