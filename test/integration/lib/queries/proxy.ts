/** A network that misbehaves, between StreamGate and a server. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface FaultyProxy {
  /** The server's URL by way of the proxy. */
  url: string;
  /** What it does from the first message on in which the client says something: by default nothing. */
  when(said: RegExp, behaviour: Behaviour): void;
  /** How many connections were made, and how many of them are open. */
  connections(): { made: number; open: number };
  close(): Promise<void>;
}

/**
 * - `cut`: the connection is reset.
 * - `stall`: nothing is passed on any more, and nothing is closed.
 * - a number: what the server says comes so many milliseconds late.
 */
export type Behaviour = 'cut' | 'stall' | number;

/** Opens a proxy before a server. */
export async function openProxy(target: string): Promise<FaultyProxy> {
  const { hostname, port } = new URL(target);
  const open = new Set<Socket>();
  let made = 0;
  let rule: { said: RegExp; behaviour: Behaviour } | undefined;
  const server = createServer((client) => {
    const upstream = connect(Number(port), hostname);
    let behaviour: Behaviour | undefined;
    made++;
    open.add(client);
    client.on('close', () => open.delete(client));
    for (const [side, other] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      side.on('error', () => {});
      side.on('close', () => behaviour === 'stall' || other.destroy());
    }
    client.on('data', (data) => {
      if (rule?.said.test(data.toString('latin1'))) behaviour = rule.behaviour;
      if (behaviour === 'cut') return void client.resetAndDestroy();
      if (behaviour !== 'stall') upstream.write(data);
    });
    upstream.on('data', (data) => {
      if (behaviour === 'stall') return;
      if (typeof behaviour === 'number') setTimeout(() => client.writable && client.write(data), behaviour);
      else client.write(data);
    });
    client.on('close', () => upstream.destroy());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const url = new URL(target);
  url.hostname = '127.0.0.1';
  url.port = String((server.address() as { port: number }).port);
  return {
    url: url.href,
    when(said, behaviour) {
      rule = { said, behaviour };
    },
    connections: () => ({ made, open: open.size }),
    async close() {
      for (const socket of open) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
