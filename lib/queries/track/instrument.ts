/**
 * Puts an observer between an application and `pg`, by shadowing methods of the very pool and clients: what they return, throw,
 * emit and call back is what `pg` makes of it. https://node-postgres.com/apis/client
 *
 * `pool.query` waits for a client and then calls `client.query`. Which of the two the application called decides when the call
 * began, and in which scope; so the one hands its call over to the other, through the callback in between.
 */
import type { EventEmitter } from 'node:events';
import { ask, isThenable } from './answer.ts';
import type { Call, Observer } from './observer.ts';
import { isSubmittable, questionOf } from './question.ts';
import { type Method, type Status, shadow } from './shadow.ts';
import { observeSubmittable } from './submittable.ts';

/** A `pg.Pool`, a `pg.Client`, or what is used like one of them. */
export interface Trackable {
  query: unknown;
  connect: unknown;
}

/** A pool, or a client of one or of none. Returns what takes it back. */
export function instrument(target: Trackable, observer: Observer, onClient: (client: Trackable) => void): () => void {
  const handover: Handover = { toConnect: undefined, toClient: undefined };
  return isPool(target)
    ? instrumentPool(target, observer, handover, onClient)
    : instrumentClient(target, observer, handover);
}

/** What the function in progress passes on to the next; set for as long as that is called. */
interface Handover {
  /** What `pool.query` was asked, and itself. */
  toConnect: { given: readonly unknown[]; caller: Method } | undefined;
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
    shadow(pool, 'query', (original, status) => poolQuery(original, status, handover)),
    shadow(pool, 'connect', (original, status) => poolConnect(original, status, observer, handover)),
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

function poolQuery(original: Method, status: Status, handover: Handover): Method {
  return function query(this: unknown, ...given) {
    if (status.isOver) return original.apply(this, given);
    handover.toConnect = { given, caller: query };
    try {
      return original.apply(this, given);
    } finally {
      handover.toConnect = undefined;
    }
  };
}

function poolConnect(original: Method, status: Status, observer: Observer, handover: Handover): Method {
  return function connect(this: unknown, ...given) {
    const asked = handover.toConnect;
    handover.toConnect = undefined;
    if (status.isOver) return original.apply(this, given);
    const [callback] = given;
    const question = asked && questionOf(asked.given[0], asked.given[1]);
    if (asked && question && typeof callback === 'function') {
      const call = observer.begin(question.text, question.values, asked.caller);
      return original.apply(this, given.with(0, connectedFor(call, callback as Method, handover)));
    }
    return awaited(original, this, given, observer.beginWait());
  };
}

/** What takes the place of the callback that `pool.query` gives `pool.connect`. */
function connectedFor(call: Call, callback: Method, handover: Handover): Method {
  return function (this: unknown, ...answer) {
    if (answer[0]) call.refuse();
    else handover.toClient = call;
    try {
      return callback.apply(this, answer);
    } finally {
      handover.toClient = undefined;
    }
  };
}

/** Connects, and tells when that is over. */
function awaited(connect: Method, pool: unknown, given: unknown[], end: (failed: boolean) => void): unknown {
  const [callback] = given;
  if (typeof callback === 'function') {
    const observed = function (this: unknown, ...answer: unknown[]) {
      end(Boolean(answer[0]));
      return callback.apply(this, answer);
    };
    return connect.apply(pool, given.with(0, observed));
  }
  const result = connect.apply(pool, given);
  if (!isThenable(result)) return result;
  return result.then(
    (client) => {
      end(false);
      return client;
    },
    (error) => {
      end(true);
      throw error;
    },
  );
}

function instrumentClient(client: Trackable, observer: Observer, handover: Handover): () => void {
  return shadow(client, 'query', (original, status) => clientQuery(original, status, observer, handover));
}

function clientQuery(original: Method, status: Status, observer: Observer, handover: Handover): Method {
  return function query(this: unknown, ...given) {
    const call = status.isOver ? undefined : sentCall(given, query, observer, handover);
    if (call === undefined) return original.apply(this, given);
    let isAsked = false;
    try {
      const result = send(original, this, given, call);
      isAsked = true;
      return result;
    } finally {
      // What was thrown goes on its way as it is: to catch it and throw it again would leave a mark on it.
      if (!isAsked) call.end(0, true);
    }
  };
}

/** The call that a pool hands over, or else a new one; none where there is nothing to be tracked. */
function sentCall(given: readonly unknown[], caller: Method, observer: Observer, handover: Handover): Call | undefined {
  const handed = handover.toClient;
  handover.toClient = undefined;
  if (handed) {
    handed.send();
    return handed;
  }
  const question = questionOf(given[0], given[1]);
  const call = question && observer.begin(question.text, question.values, caller);
  call?.sendAtOnce();
  return call;
}

function send(original: Method, client: unknown, given: unknown[], call: Call): unknown {
  const [config] = given;
  if (!isSubmittable(config)) return ask(original, client, given, call);
  observeSubmittable(config, call);
  return original.apply(client, given);
}
