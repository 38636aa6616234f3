/**
 * Puts an observer between an application and `pg`, by shadowing methods of the very pool and clients: what they return, throw,
 * emit and call back is what `pg` makes of it. https://node-postgres.com/apis/client
 *
 * `pool.query` waits for a client and then calls `client.query`. Which of the two the application called decides when the call
 * began, and in which scope; so the one hands its call over to the other, through the callback in between.
 */
import type { EventEmitter } from 'node:events';
import type { Call, Observer } from './observer.ts';

/** A `pg.Pool`, a `pg.Client`, or what is used like one of them. */
export interface Trackable {
  query: unknown;
  connect: unknown;
}

type Method = (this: unknown, ...given: unknown[]) => unknown;
type Callback = (error: unknown, ...results: unknown[]) => unknown;

/** A pool, or a client of one or of none. Returns what takes it back. */
export function instrument(target: Trackable, observer: Observer, onClient: (client: Trackable) => void): () => void {
  const handover: Handover = { toClient: undefined, toConnect: undefined };
  return isPool(target)
    ? instrumentPool(target, observer, handover, onClient)
    : instrumentClient(target, observer, handover);
}

/** The call that the function in progress passes on to the next; set for as long as that is called. */
interface Handover {
  toConnect: Call | undefined;
  toClient: Call | undefined;
}

function isPool(target: Trackable): boolean {
  return 'waitingCount' in target;
}

function instrumentPool(
  pool: Trackable,
  observer: Observer,
  handover: Handover,
  onClient: (client: Trackable) => void,
): () => void {
  const clients = new Map<Trackable, () => void>();
  const acquired = (client: Trackable) => {
    if (clients.has(client)) return;
    clients.set(client, instrumentClient(client, observer, handover));
    onClient(client);
  };
  const removed = (client: Trackable) => {
    clients.delete(client);
  };
  const undo = [
    shadow(pool, 'query', (original, status) => poolQuery(original, status, observer, handover)),
    shadow(pool, 'connect', (original) => poolConnect(original, handover)),
  ];
  const events = pool as unknown as EventEmitter;
  // A client is acquired before whoever asked for it gets it.
  events.on('acquire', acquired);
  events.on('remove', removed);
  return () => {
    events.off('acquire', acquired);
    events.off('remove', removed);
    for (const each of [...undo, ...clients.values()]) each();
  };
}

function poolQuery(original: Method, status: Status, observer: Observer, handover: Handover): Method {
  return function query(this: unknown, ...given) {
    const text = status.isOver ? undefined : textOf(given[0]);
    if (text === undefined) return Reflect.apply(original, this, given);
    handover.toConnect = observer.begin(text, valuesOf(given[0], given[1]), query);
    try {
      return Reflect.apply(original, this, given);
    } finally {
      handover.toConnect = undefined;
    }
  };
}

function poolConnect(original: Method, handover: Handover): Method {
  return function connect(this: unknown, ...given) {
    const call = handover.toConnect;
    const [callback] = given;
    if (call === undefined || !isCallback(callback)) return Reflect.apply(original, this, given);
    handover.toConnect = undefined;
    const connected: Callback = function (this: unknown, error, ...results) {
      if (error) call.end(0, true);
      else handover.toClient = call;
      try {
        return Reflect.apply(callback, this, [error, ...results]);
      } finally {
        handover.toClient = undefined;
      }
    };
    return Reflect.apply(original, this, [connected, ...given.slice(1)]);
  };
}

function instrumentClient(client: Trackable, observer: Observer, handover: Handover): () => void {
  return shadow(client, 'query', (original, status) => clientQuery(original, status, observer, handover));
}

function clientQuery(original: Method, status: Status, observer: Observer, handover: Handover): Method {
  return function query(this: unknown, ...given) {
    const [config] = given;
    const text = status.isOver ? undefined : textOf(config);
    if (text === undefined) return Reflect.apply(original, this, given);
    let call = handover.toClient;
    handover.toClient = undefined;
    if (call === undefined) {
      call = observer.begin(text, valuesOf(config, given[1]), query);
      call.sendAtOnce();
    } else call.send();
    if (isSubmittable(config)) {
      observeSubmittable(config, call);
      return Reflect.apply(original, this, given);
    }
    return observeResult(original, this, given, call);
  };
}

/** A query that `pg` makes itself answers through a callback, wherever that was given, or else through a promise. */
function observeResult(original: Method, client: unknown, given: unknown[], call: Call): unknown {
  const [config] = given;
  const place = [2, 1].find((each) => isCallback(given[each]));
  if (place !== undefined) {
    return Reflect.apply(original, client, given.with(place, observed(given[place] as Callback, call)));
  }
  if (typeof config === 'object' && config !== null && 'callback' in config && isCallback(config.callback)) {
    // It is not ours to change: what inherits from it has all that it has.
    const own = Object.create(config, {
      callback: { value: observed(config.callback, call), writable: true, enumerable: true, configurable: true },
    });
    return Reflect.apply(original, client, given.with(0, own));
  }
  const result = Reflect.apply(original, client, given);
  if (!isThenable(result)) return result;
  return result.then(
    (answer) => {
      call.end(rowsIn(answer), false);
      return answer;
    },
    (error) => {
      call.end(0, true);
      throw error;
    },
  );
}

function observed(callback: Callback, call: Call): Callback {
  return function (this: unknown, error, ...results) {
    call.end(error ? 0 : rowsIn(results[0]), Boolean(error));
    return Reflect.apply(callback, this, [error, ...results]);
  };
}

/** A `pg.Query`, a cursor, a stream: whatever `pg` tells what comes from the server. */
interface Submittable {
  submit: unknown;
  text?: unknown;
  cursor?: unknown;
}

/**
 * Listens in on what `pg` tells a query. It is over with ReadyForQuery; of a cursor that is when it was read to its end or
 * closed, so that its time has that of its reader in it.
 */
function observeSubmittable(query: Submittable, call: Call): void {
  let returned = 0;
  let affected = 0;
  const end = (failed: boolean) => {
    call.end(Math.max(returned, affected), failed);
    for (const each of undo) each();
  };
  const listen = (name: string, listener: (message: unknown) => void) =>
    shadow(
      query,
      name,
      (method) =>
        function (this: unknown, ...given) {
          listener(given[0]);
          return Reflect.apply(method, this, given);
        },
    );
  const undo = [
    listen('handleDataRow', () => {
      returned++;
    }),
    listen('handleCommandComplete', (message) => {
      affected += rowsOfTag(message);
    }),
    listen('handleReadyForQuery', () => end(false)),
    listen('handleError', () => end(true)),
  ];
}

/** `INSERT 0 5`, `SELECT 3`, `BEGIN`: https://www.postgresql.org/docs/current/protocol-message-formats.html */
function rowsOfTag(message: unknown): number {
  const { text } = message as { text?: unknown };
  return typeof text === 'string' ? Number(/\d+$/.exec(text)?.[0] ?? 0) : 0;
}

/** Of one answer, or of the several that a text with several statements has. */
function rowsIn(answer: unknown): number {
  if (Array.isArray(answer)) return answer.reduce((sum: number, each) => sum + rowsIn(each), 0);
  const { rowCount, rows } = (answer ?? {}) as { rowCount?: number | null; rows?: unknown[] };
  // Of what was fetched in portions it is the number of the last one.
  return Math.max(rowCount ?? 0, rows?.length ?? 0);
}

/** The text of whatever a query can be given as; undefined where `pg` has something to say about it, or it has only a name. */
function textOf(config: unknown): string | undefined {
  if (typeof config === 'string') return config;
  if (typeof config !== 'object' || config === null) return undefined;
  const { text, cursor } = config as Submittable;
  if (typeof text === 'string') return text;
  return cursor === undefined ? undefined : textOf(cursor);
}

function valuesOf(config: unknown, second: unknown): unknown {
  if (Array.isArray(second) || typeof config === 'string') return second;
  const { values, cursor } = config as { values?: unknown; cursor?: { values?: unknown } };
  return values ?? cursor?.values;
}

function isSubmittable(config: unknown): config is Submittable {
  return typeof (config as Submittable).submit === 'function';
}

function isCallback(value: unknown): value is Callback {
  return typeof value === 'function';
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}

/** Whether a method that shadows another is to do what the other does, and nothing else. */
interface Status {
  isOver: boolean;
}

/**
 * Shadows a method of an object. Returns what takes that back; where somebody else has shadowed ours in the meantime, it
 * stays where it is.
 */
function shadow(target: object, name: string, wrap: (original: Method, status: Status) => Method): () => void {
  const methods = target as Record<string, Method>;
  const original = methods[name];
  if (typeof original !== 'function') return () => {};
  const before = Object.getOwnPropertyDescriptor(target, name);
  const status = { isOver: false };
  const value = wrap(original, status);
  Object.defineProperty(target, name, { value, writable: true, enumerable: false, configurable: true });
  return () => {
    status.isOver = true;
    if (methods[name] !== value) return;
    if (before) Object.defineProperty(target, name, before);
    else delete methods[name];
  };
}
