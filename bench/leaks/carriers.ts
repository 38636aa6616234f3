import { EventEmitter } from 'node:events';
import { openSync } from 'node:fs';
import { connect } from 'node:net';
import { devNull } from 'node:os';
import type { Carrier } from './shape.ts';

/** Keeps a piece of so many bytes. */
export type Keep = (bytes: number) => void | Promise<void>;

/** Some numbers: an array of them takes eight bytes for each. */
export function numbers(bytes: number): number[] {
  return Array.from({ length: Math.max(1, Math.round(bytes / 8)) }, (_, place) => place + 0.5);
}

/** The ways to keep something for good. `port` is that of a server on this machine that accepts and says nothing. */
export function keeper(carrier: Carrier, port: number): Keep {
  switch (carrier) {
    case 'objects': {
      const kept: object[] = [];
      return (bytes) => void kept.push({ id: kept.length, at: 0.5, values: numbers(bytes) });
    }
    case 'closures': {
      const kept: (() => number)[] = [];
      return (bytes) => {
        const values = numbers(bytes);
        kept.push(() => values.length);
      };
    }
    case 'timers':
      return (bytes) => {
        const values = numbers(bytes);
        setInterval(() => values.length, 1_000_000);
      };
    case 'sockets':
      return (bytes) =>
        new Promise((connected, failed) => {
          const values = numbers(bytes);
          const socket = connect(port, '127.0.0.1', connected);
          socket.on('data', () => values.length);
          socket.on('error', failed);
        });
    case 'descriptors': {
      const kept: object[] = [];
      return (bytes) => void kept.push({ descriptor: openSync(devNull, 'r'), values: numbers(bytes) });
    }
    case 'buffers': {
      const kept: ArrayBuffer[] = [];
      return (bytes) => void kept.push(new ArrayBuffer(bytes));
    }
    case 'listeners': {
      const emitter = new EventEmitter().setMaxListeners(0);
      return (bytes) => {
        const values = numbers(bytes);
        emitter.on('change', () => values.length);
      };
    }
    case 'map': {
      const kept = new Map<string, object>();
      return (bytes) => void kept.set(`key ${kept.size}`, { values: numbers(bytes) });
    }
  }
}
