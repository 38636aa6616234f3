import type { Server } from 'node:http';
import { vi } from 'vitest';
import { closeEnvironment } from '../../functions/environment.ts';
import { hashToken } from '../../lib/http/authentication.ts';
import { createGateway, listen } from '../../local/gateway.ts';

/** The tokens that the test's environment knows, by what they may do. */
export const tokens = { reader: 'reader-token', operator: 'operator-token', nothing: 'token-without-scopes' };

/** Gives the functions new environment variables; what they made of the old ones is let go. */
export async function configure(variables: Record<string, string>): Promise<void> {
  await letGo();
  for (const name of ['DATABASE_URL', 'STREAMGATE_DATABASES', 'STREAMGATE_HISTORY_URL', 'STREAMGATE_CONFIG'])
    vi.stubEnv(name, '');
  vi.stubEnv(
    'STREAMGATE_TOKENS',
    JSON.stringify({
      [hashToken(tokens.reader)]: ['read'],
      [hashToken(tokens.operator)]: ['operate'],
      [hashToken(tokens.nothing)]: [],
    }),
  );
  for (const [name, value] of Object.entries(variables)) vi.stubEnv(name, value);
}

/** Forgets the environment. */
export async function letGo(): Promise<void> {
  await closeEnvironment();
  vi.unstubAllEnvs();
}

/** The API, served by the local gateway on a port of its own. */
export interface Api {
  port: number;
  get(path: string, init?: RequestInit): Promise<{ status: number; headers: Headers; text: string; body: unknown }>;
  close(): Promise<void>;
}

/** Serves the API; `get` carries the reader's token unless it is told otherwise. */
export async function serveApi(): Promise<Api> {
  const gateway: Server = await createGateway();
  const port = await listen(gateway, 0, '127.0.0.1');
  return {
    port,
    async get(path, init = {}) {
      const headers = { authorization: `Bearer ${tokens.reader}`, ...init.headers };
      const response = await fetch(`http://127.0.0.1:${port}${path}`, { ...init, headers });
      const text = await response.text();
      return { status: response.status, headers: response.headers, text, body: text === '' ? null : JSON.parse(text) };
    },
    async close() {
      gateway.closeAllConnections();
      await new Promise((done) => gateway.close(done));
      await letGo();
    },
  };
}
