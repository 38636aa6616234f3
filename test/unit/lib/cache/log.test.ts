import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { InvalidationLog } from '../../../../lib/cache/log.ts';
import { SharedLog } from '../../../../lib/cache/shared/log.ts';
import type { Labels } from '../../../../lib/cache/store.ts';

const names = ['a', 'b', 'c', 'd'];
const label = fc.constantFrom(...names);
const labels = fc.record({ keys: fc.subarray(names), tags: fc.subarray(names) });

/** The log of a process without a second level, as the cache keeps it. */
class OnlyLog extends InvalidationLog {
  append(labels: Labels): void {
    const position = this.cursor + 1;
    this.enter(labels, position);
    this.advance(position);
  }
}

/** A log that remembers everything. */
class Model {
  readonly events: Array<{ at: number; keys: readonly string[]; tags: readonly string[] }> = [];
  end = 0;

  append(what: { keys: readonly string[]; tags: readonly string[] }): void {
    this.events.push({ at: ++this.end, ...what });
  }

  isValid(key: string, tags: readonly string[], position: number): boolean {
    return !this.events.some(
      (event) => event.at > position && (event.keys.includes(key) || event.tags.some((tag) => tags.includes(tag))),
    );
  }

  since(position: number) {
    const last = (kind: 'keys' | 'tags') => {
      const found = new Map<string, number>();
      for (const event of this.events) {
        if (event.at > position) for (const name of event[kind]) found.set(name, event.at);
      }
      return [...found];
    };
    return { keys: last('keys'), tags: last('tags') };
  }
}

describe('the only log', () => {
  test('knows from the beginning where it stands', () => {
    const log = new OnlyLog();
    expect(log.cursor).toBe(0);
    expect(log.isValid('a', [], 0)).toBe(true);
  });

  test('judges as one that remembers everything', () => {
    const entry = fc.record({ key: label, tags: fc.subarray(names), back: fc.nat(5) });
    fc.assert(
      fc.property(fc.array(fc.oneof(labels, entry), { maxLength: 60, size: 'max' }), (steps) => {
        const log = new OnlyLog();
        const model = new Model();
        for (const step of steps) {
          if ('back' in step) {
            const position = Math.max(0, model.end - step.back);
            expect(log.isValid(step.key, step.tags, position)).toBe(model.isValid(step.key, step.tags, position));
            continue;
          }
          const before = log.generation;
          log.append(step);
          model.append(step);
          expect(log.cursor).toBe(model.end);
          if (step.keys.length + step.tags.length > 0) expect(log.generation).toBeGreaterThan(before);
        }
      }),
    );
  });

  test('forgets when there is too much, and then takes what is old for invalid', () => {
    const log = new OnlyLog();
    log.append({ keys: ['old'], tags: [] });
    for (let round = 0; round < 11; round++) {
      log.append({ keys: Array.from({ length: 1_000 }, (_, index) => `${round} ${index}`), tags: [] });
    }
    expect(log.isValid('old', [], 0)).toBe(false);
    expect(log.isValid('other', [], 0)).toBe(false);
    expect(log.isValid('10 999', [], 10)).toBe(false);
    expect(log.isValid('other', [], log.cursor as number)).toBe(true);
  });
});

describe('the log of a store', () => {
  /** What a process does: hears of the store's log, in any order, in parts; forgets; blocks. */
  const step = fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('invalidate' as const), labels }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('ask' as const), late: fc.nat(3) }) },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('answer' as const), which: fc.nat(3) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('block' as const), labels }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('unblock' as const) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('forget' as const) }) },
    { weight: 6, arbitrary: fc.record({ kind: fc.constant('judge' as const), key: label, tags: fc.subarray(names) }) },
  );

  test('errs on the safe side only: nothing of what it was told of is valid, whatever comes in whatever order', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80, size: 'max' }), (steps) => {
        const log = new SharedLog();
        const store = new Model();
        store.end = 1_000;
        log.forget(1_000);
        /** What has been told to this process of the store's log, up to a position. */
        let toldUpTo = 1_000;
        const answers: Array<{ position: number; changes: ReturnType<Model['since']> }> = [];
        let blocked: { keys: readonly string[]; tags: readonly string[] } | undefined;
        for (const step of steps) {
          if (step.kind === 'invalidate') store.append(step.labels);
          else if (step.kind === 'ask') {
            answers.push({ position: store.end, changes: store.since(log.cursor as number) });
          } else if (step.kind === 'answer') {
            const [answer] = answers.splice(step.which, 1);
            if (!answer) continue;
            log.learn(answer.position, answer.changes);
            toldUpTo = Math.max(toldUpTo, answer.position);
          } else if (step.kind === 'block') {
            log.block(step.labels);
            blocked = {
              keys: [...(blocked?.keys ?? []), ...step.labels.keys],
              tags: [...(blocked?.tags ?? []), ...step.labels.tags],
            };
          } else if (step.kind === 'unblock' && blocked) {
            store.append(blocked);
            const changes = store.since(log.cursor as number);
            log.unblock(blocked, store.end);
            log.learn(store.end, changes);
            toldUpTo = store.end;
            blocked = undefined;
          } else if (step.kind === 'forget') {
            log.forget(store.end);
            toldUpTo = store.end;
          } else if (step.kind === 'judge') {
            for (let position = 1_000; position <= store.end; position++) {
              if (!log.isValid(step.key, step.tags, position)) continue;
              expect(blocked?.keys.includes(step.key) ?? false).toBe(false);
              expect(step.tags.some((tag) => blocked?.tags.includes(tag))).toBe(false);
              const known = new Model();
              known.events.push(...store.events.filter(({ at }) => at <= toldUpTo));
              expect(known.isValid(step.key, step.tags, position)).toBe(true);
            }
          }
        }
      }),
    );
  });

  test('a label that is invalidated again while it is blocked is news to who joins a load', () => {
    const log = new SharedLog();
    log.forget(10);
    log.block({ keys: ['a'], tags: [] });
    const { generation } = log;
    log.block({ keys: ['a'], tags: [] });
    expect(log.generation).toBeGreaterThan(generation);
  });

  test('blocks hold through forgetting, and end at a position', () => {
    const log = new SharedLog();
    log.forget(10);
    log.block({ keys: ['a'], tags: ['t'] });
    for (const position of [10, 1e15]) {
      expect(log.isValid('a', [], position)).toBe(false);
      expect(log.isValid('b', ['t'], position)).toBe(false);
      expect(log.isValid('b', ['u'], position)).toBe(true);
    }
    log.forget(20);
    expect(log.isValid('a', [], 30)).toBe(false);
    expect(log.isValid('b', [], 19)).toBe(false);
    expect(log.latest, 'nothing is valid without a look').toBe(Number.POSITIVE_INFINITY);
    log.unblock({ keys: [], tags: ['t'] }, 25);
    expect(log.latest, 'one is blocked still').toBe(Number.POSITIVE_INFINITY);
    log.unblock({ keys: ['a'], tags: [] }, 31);
    expect(log.isValid('a', ['t'], 30)).toBe(false);
    expect(log.isValid('b', ['t'], 24)).toBe(false);
    expect(log.isValid('a', ['t'], 31)).toBe(true);
  });

  test('what is older than what it has forgotten stays invalid when a block ends', () => {
    const log = new SharedLog();
    log.forget(10);
    log.block({ keys: ['a'], tags: [] });
    log.forget(50);
    // The answer to what was told before is late.
    log.unblock({ keys: ['a'], tags: [] }, 20);
    expect(log.isValid('b', [], 30)).toBe(false);
  });

  test('a block of many labels can end', () => {
    const log = new SharedLog();
    log.forget(10);
    const keys = Array.from({ length: 200_000 }, (_, index) => `key ${index}`);
    log.block({ keys, tags: [] });
    log.unblock({ keys, tags: [] }, 11);
    expect(log.latest).toBe(11);
  });
});
