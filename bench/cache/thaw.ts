/** How long the first get takes after a freeze during which Redis has closed the connection. */
import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { type Child, startChild } from './children.ts';
import { digits, limitGoal, type Section, sampleOf } from './measure.ts';
import { withRedis } from './redis-server.ts';
import { thawCaches } from './thaw-caches.ts';
import type { Thaw } from './thaw-process.ts';

const names = Object.keys(thawCaches);
const freezes = 11;
const frozenMs = 1_000;

export async function thaw(): Promise<Section> {
  const thaws = new Map<string, Thaw[]>(names.map((name) => [name, []]));
  await withRedis(async ({ url }) => {
    const admin = new Redis(url);
    const children = names.map((name) => [name, startChild('thaw-process.ts', [name, url])] as const);
    for (let freeze = 0; freeze < freezes; freeze++) {
      for (const [, child] of children) await child.hear();
      for (const [, child] of children) child.process.kill('SIGSTOP');
      await admin.client('KILL', 'TYPE', 'normal');
      await delay(frozenMs);
      for (const [name, child] of children) thaws.get(name)?.push(await firstGetOf(child));
    }
    for (const [, child] of children) child.process.kill('SIGKILL');
    admin.disconnect();
  });
  const sampleFor = (name: string) => sampleOf((thaws.get(name) ?? []).map(({ ms }) => ms));
  const loadsOf = (name: string) => (thaws.get(name) ?? []).filter(({ isLoaded }) => isLoaded).length;
  return {
    title: 'First get after a thaw',
    method: `A process is stopped for ${frozenMs / 1_000} s (SIGSTOP), Redis closes its connection meanwhile (CLIENT KILL), and the get is waiting for it when it goes on, as the event of an invocation is. The value is in Redis. Milliseconds: the median of ${freezes} freezes.`,
    head: ['', 'ms', 'spread', 'loaded all the same'],
    rows: names.map((name) => {
      const { median, min, max } = sampleFor(name);
      return [name, digits(median), `${digits(min)}–${digits(max)}`, `${loadsOf(name)} of ${freezes}`];
    }),
    goals: [limitGoal('under 10 ms over `connectRedis`', 10, sampleFor(names[0] ?? '').median, ' ms')],
  };
}

/** Lets a process go on, whose message is there by then. */
function firstGetOf(child: Child): Promise<Thaw> {
  child.tell('get');
  child.process.kill('SIGCONT');
  return child.hear<Thaw>();
}
