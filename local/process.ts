import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';

/**
 * Starts a server program of ours so that it never outlives this process: a terminal's Ctrl-C does
 * not reach it (it is stopped in order, by `stopService`), and should this process be killed, a
 * shell that waits at the other end of a pipe ends it.
 */
export function startService(program: string, args: string[], options: SpawnOptions = {}): ChildProcess {
  const child = spawn(program, args, { ...options, detached: true });
  child.once('spawn', () => {
    // `read` returns when the pipe closes, which is when this process is gone, however it went.
    const guard = spawn('sh', ['-c', 'read -r _; kill -INT "$0" 2>/dev/null', String(child.pid)], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    guard.on('error', () => {});
    guard.unref();
    (guard.stdin as unknown as { unref?: () => void })?.unref?.();
    child.once('exit', () => guard.kill('SIGKILL'));
  });
  return child;
}

/** Stops a service: SIGINT first, SIGKILL when it has not ended within `graceMs`. */
export async function stopService(child: ChildProcess, graceMs = 10_000): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, 'exit');
  child.kill('SIGINT');
  const timer = setTimeout(() => child.kill('SIGKILL'), graceMs);
  await exited;
  clearTimeout(timer);
}

/** A TCP port of the loopback interface that nothing listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('The loopback interface gave no port.');
  return address.port;
}

/** Whether a process runs, whoever it belongs to. */
export function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
