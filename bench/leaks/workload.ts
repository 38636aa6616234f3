/** What happens in an invocation: garbage, and what a shape keeps. */
import { keeper, numbers } from './carriers.ts';
import { manyFunctions } from './code.ts';
import type { Random } from './random.ts';
import type { Benign, Shape } from './shape.ts';

/** An invocation, counted from 1. */
export type Invocation = (invocation: number) => void | Promise<void>;

/** So much is allocated and forgotten in an invocation: the median, and the factor of a standard deviation. */
const garbage = { bytes: 200_000, factor: 1.6 };

/** What is there from the start, as modules and configuration are. */
export function baseline(random: Random): object[] {
  const bytes = random.between(2e6, 12e6);
  return Array.from({ length: bytes / 1_000 }, (_, id) => ({ id, name: `record ${id}`, values: numbers(850) }));
}

/** Does something useful with JSON, strings, buffers and promises, and keeps nothing of it. */
export async function work(random: Random): Promise<number> {
  const pieces = Math.ceil(random.logNormal(garbage.bytes, garbage.factor) / 2_000);
  const rows = Array.from({ length: pieces }, (_, id) => ({
    id,
    name: `row ${random.below(1_000_000)}`,
    price: random.next(),
    tags: ['a', 'b', String(id % 7)],
  }));
  const text = JSON.stringify(rows);
  const parsed = JSON.parse(text) as typeof rows;
  const groups = Map.groupBy(parsed, ({ tags }) => tags[2]);
  const sums = await Promise.all(
    [...groups.values()].map(async (group) => group.reduce((sum, { price }) => sum + price, 0)),
  );
  const bytes = Buffer.from(text.slice(0, 4_096)).toString('base64');
  await new Promise(setImmediate);
  return sums.length + bytes.length + parsed.map(({ name }) => name.toUpperCase()).sort().length;
}

/** Things that are kept for a while in every process, as sessions are: how many bytes of them come in an invocation, and for how many they stay. */
export interface Noise {
  bytes: number;
  lasting: number;
}

/** Remembers something in each invocation, and forgets it again. */
export function recent({ bytes, lasting }: Noise, random: Random): Invocation {
  const kept = new Map<number, number>();
  const things = new Map<number, object>();
  return (invocation) => {
    for (const [id, until] of kept) {
      if (until > invocation) continue;
      kept.delete(id);
      things.delete(id);
    }
    kept.set(invocation, invocation - lasting * Math.log(1 - random.next()));
    things.set(invocation, { values: numbers(random.logNormal(bytes, 2)) });
  };
}

/** What the shape does in each invocation. */
export function keeping(shape: Shape, random: Random, port: number): Invocation {
  if (shape.kind !== 'leak') return within(shape, random, port);
  const keep = keeper(shape.carrier, port);
  const beside = shape.beside && within(shape.beside, random, port);
  return async (invocation) => {
    await beside?.(invocation);
    if (random.next() * shape.oneIn < 1) await keep(shape.bytes * shape.oneIn);
  };
}

function within(shape: Benign, random: Random, port: number): Invocation {
  switch (shape.kind) {
    case 'flat':
      return () => {};
    case 'cache':
      return cache(shape, random);
    case 'steps': {
      const kept: object[] = [];
      return (invocation) => {
        if (shape.at.includes(invocation)) kept.push(inRecords(shape.bytes));
      };
    }
    case 'bursts': {
      let kept: object | undefined;
      let until = 0;
      return (invocation) => {
        if (invocation >= until) kept = undefined;
        if (random.next() * shape.oneIn < 1) {
          kept = inRecords(random.between(0.5, 1.5) * shape.bytes);
          until = invocation + random.between(0.5, 1.5) * shape.lasting;
        }
        return void kept;
      };
    }
    case 'daily': {
      const sessions: object[] = [];
      const phase = shape.phase ?? random.next();
      return (invocation) => {
        const load = (1 - Math.cos(2 * Math.PI * (invocation / shape.period + phase))) / 2;
        const wanted = Math.round((load * random.between(0.95, 1.05) * shape.bytes) / 1_000);
        while (sessions.length > wanted) sessions.shift();
        while (sessions.length < wanted) sessions.push({ values: numbers(950) });
      };
    }
    case 'pool': {
      const keep = keeper(shape.of, port);
      return async (invocation) => {
        if (invocation > shape.until || invocation % shape.every !== 0) return;
        await keep(shape.bytes);
      };
    }
    case 'alternating': {
      let kept: object | undefined;
      let next = random.below(shape.period);
      return (invocation) => {
        if (invocation < next) return;
        kept = kept ? undefined : inRecords(shape.bytes);
        next = invocation + random.between(0.5, 1.5) * shape.period;
      };
    }
    case 'batches': {
      const batch: object[] = [];
      let size = random.between(0.5, 1.5) * shape.size;
      return () => {
        batch.push({ values: numbers(shape.bytes) });
        if (batch.length < size) return;
        batch.length = 0;
        size = random.between(0.5, 1.5) * shape.size;
      };
    }
    case 'logger': {
      let buffer = '';
      return (invocation) => {
        for (let line = 0; line < shape.lines; line++) {
          buffer += `${JSON.stringify({ level: 'info', invocation, line, id: random.next(), message: 'a row was read' })}\n`;
        }
        if (buffer.length > shape.limit) buffer = '';
      };
    }
    case 'code': {
      const functions = manyFunctions(shape.functions);
      return () => {
        for (let call = 0; call < shape.calls; call++) functions[random.below(functions.length)]?.(random.below(100));
      };
    }
  }
}

/** Entries by their keys, the least recently used one first, as in a Map that is refilled on every use. */
function cache(
  { keys, catalogue, capacity, lookups, bytes }: Extract<Benign, { kind: 'cache' }>,
  random: Random,
): Invocation {
  const entries = new Map<number, object>();
  let newest = 0;
  const key = {
    new: () => newest++,
    evenly: () => random.below(catalogue),
    // Zipf with an exponent of 1, continuous.
    popular: () => Math.floor(catalogue ** random.next()) - 1,
  }[keys];
  return () => {
    for (let lookup = 0; lookup < lookups; lookup++) {
      const wanted = key();
      const entry = entries.get(wanted) ?? { values: numbers(random.between(0.5, 1.5) * bytes) };
      entries.delete(wanted);
      entries.set(wanted, entry);
      if (entries.size > capacity) entries.delete(entries.keys().next().value ?? 0);
    }
  };
}

function inRecords(bytes: number): object[] {
  return Array.from({ length: Math.ceil(bytes / 1_000) }, (_, id) => ({ id, values: numbers(900) }));
}
