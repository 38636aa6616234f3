import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';

/** A process that runs a script of this directory and exchanges messages with this one. */
export interface Child {
  process: ChildProcess;
  tell(message: string): void;
  /** The next message that it sends. @throws when it ends before */
  hear<Message>(): Promise<Message>;
}

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

// No process outlives the one that it works for.
if (process.send) process.once('disconnect', () => process.exit());

/** Starts a script of this directory, or one that is named by its whole path. It is ended with this process at the latest. */
export function startChild(script: string, args: readonly string[], execArgv: readonly string[] = []): Child {
  const child = fork(resolve(import.meta.dirname, script), [...args], {
    execArgv: [...execArgv],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  running.add(child);
  const messages: unknown[] = [];
  child.on('message', (message) => {
    messages.push(message);
    child.emit('news');
  });
  child.on('exit', () => {
    running.delete(child);
    child.emit('news');
  });
  return {
    process: child,
    tell: (message) => child.send(message),
    async hear<Message>() {
      while (messages.length === 0) {
        if (child.exitCode !== null || child.signalCode !== null) {
          throw new Error(`${script} ${args.join(' ')} has ended: ${child.exitCode ?? child.signalCode}`);
        }
        await once(child, 'news');
      }
      return messages.shift() as Message;
    },
  };
}

/** In a child: sends a message, and waits until it is on its way. */
export function tellParent(message: unknown): Promise<void> {
  return new Promise((sent) => process.send?.(message, () => sent()));
}

/** In a child: waits for the next message. */
export async function hearParent(): Promise<string> {
  const [message] = await once(process, 'message');
  return message;
}
