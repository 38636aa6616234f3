import { EventEmitter } from 'node:events';
import { open } from 'node:fs/promises';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { runtime } from '../../../../../lib/resources/monitor/runtime.ts';
import { Sample } from '../../../../../lib/resources/sample.ts';
import { sample } from '../leak-series.ts';

test('tells the memory of this process', () => {
  const memory = runtime.memory();
  const parsed = Sample.parse(sample(1, memory));
  expect(parsed.heapUsedBytes).toBeLessThanOrEqual(parsed.heapTotalBytes);
  expect(parsed.heapTotalBytes).toBeLessThan(parsed.heapLimitBytes);
  expect(parsed.arrayBufferBytes).toBeLessThanOrEqual(parsed.externalBytes);
  expect(parsed.spaces).toHaveProperty('old_space');
  expect(parsed.spaces).toHaveProperty('code_space');
});

test('buffers count as external memory', () => {
  const before = runtime.memory();
  const buffer = Buffer.alloc(5_000_000);
  const after = runtime.memory();
  expect(after.externalBytes - before.externalBytes).toBeGreaterThanOrEqual(buffer.length);
});

test('counts resources by type, without immediates', () => {
  const before = runtime.resources();
  const timers = [setTimeout(() => {}, 60_000), setTimeout(() => {}, 60_000)];
  const immediate = setImmediate(() => {});
  const server = createServer().listen(0);
  const after = runtime.resources();
  expect((after.Timeout ?? 0) - (before.Timeout ?? 0)).toBe(2);
  expect((after.TCPServerWrap ?? 0) - (before.TCPServerWrap ?? 0)).toBe(1);
  expect(after).not.toHaveProperty('Immediate');
  timers.forEach(clearTimeout);
  clearImmediate(immediate);
  server.close();
});

test('counts the descriptors of files', async () => {
  const before = runtime.descriptors();
  const files = await Promise.all([open('/dev/null'), open('/dev/null')]);
  expect(runtime.descriptors()).toBe(before === null ? null : before + 2);
  await Promise.all(files.map((file) => file.close()));
});

test('counts warnings of too many listeners', async () => {
  const before = runtime.listenerWarnings();
  const emitter = new EventEmitter();
  for (let listener = 0; listener < 11; listener++) emitter.on('data', () => {});
  process.emitWarning('something else');
  await new Promise(setImmediate);
  expect(runtime.listenerWarnings()).toBe(before + 1);
});

test('the processor time grows with work', () => {
  const before = runtime.cpuMs();
  const until = performance.now() + 30;
  while (performance.now() < until);
  expect(runtime.cpuMs() - before).toBeGreaterThan(1);
});
