import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** A StreamGate that was started as a person starts it. */
export interface Service {
  process: ChildProcess;
  /** All that it printed so far. */
  printed(): string;
  /** Resolves when it has printed something that matches; rejects when it ends before. */
  prints(pattern: RegExp): Promise<RegExpExecArray>;
  /** Calls its API with the token that it printed. */
  get(
    path: string,
  ): Promise<{ status: number; body: { data: never; meta: { total: number } } & Record<string, never> }>;
  /** Resolves with its exit code when it has ended. */
  ended: Promise<number | null>;
  /** Ends it with a signal. */
  end(signal?: NodeJS.Signals): Promise<number | null>;
}

/** Runs `streamgate <words>` with variables of its own. */
export function run(words: string[], env: Record<string, string> = {}): Service {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const child = spawn(process.execPath, [join(root, 'cli/launch.mjs'), ...words], {
    cwd: root,
    env: { ...inherited, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  let output = '';
  const listeners = new Set<() => void>();
  const heard = (chunk: Buffer) => {
    output += chunk;
    for (const listener of listeners) listener();
  };
  child.stdout.on('data', heard);
  child.stderr.on('data', heard);
  const prints = (pattern: RegExp) =>
    new Promise<RegExpExecArray>((found, fail) => {
      const look = () => {
        const match = pattern.exec(output);
        if (!match) return;
        listeners.delete(look);
        found(match);
      };
      listeners.add(look);
      child.once('exit', (code) => fail(new Error(`It ended with ${code} before it printed ${pattern}:\n${output}`)));
      look();
    });
  return {
    process: child,
    printed: () => output,
    prints,
    async get(path) {
      const [, address, token] = await prints(/(http:\/\/\S+)\/#token=([\w-]+)/);
      const response = await fetch(`${address}${path}`, { headers: { authorization: `Bearer ${token}` } });
      return { status: response.status, body: (await response.json()) as never };
    },
    ended,
    end(signal = 'SIGINT') {
      child.kill(signal);
      return ended;
    },
  };
}
