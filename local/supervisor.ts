import pg from 'pg';
import { type EmbeddedPostgres, type PostgresOptions, startPostgres } from './postgres.ts';

/** An embedded PostgreSQL that is started again, on the same port, when it dies. */
export interface SupervisedPostgres {
  url(database: string): string;
  /** Makes a database when it is not there, and returns its URL. */
  createDatabase(name: string): Promise<string>;
  /** Rejects when the server died and could not be started again. */
  lost: Promise<never>;
  stop(): Promise<void>;
}

/** Starts PostgreSQL and keeps it running; `tell` hears when it had to be started again. */
export async function supervisePostgres(
  options: PostgresOptions,
  tell: (message: string) => void,
): Promise<SupervisedPostgres> {
  let server: EmbeddedPostgres = await startPostgres(options);
  let stopped = false;
  const { port } = server;
  const watch = async (): Promise<never> => {
    for (;;) {
      const how = await server.died;
      if (stopped) return new Promise(() => {});
      tell(`${how}; starting it again …`);
      server = await startPostgres({ ...options, port });
      tell('runs again.');
    }
  };
  const lost = watch();
  // Its rejection is for whoever awaits it, which may be later than now.
  lost.catch(() => {});
  return {
    url: (database) => server.url(database),
    lost,
    async createDatabase(name) {
      const client = new pg.Client({ connectionString: server.url('postgres') });
      await client.connect();
      try {
        const { rowCount } = await client.query('select from pg_database where datname = $1', [name]);
        if (rowCount === 0) await client.query(`create database ${client.escapeIdentifier(name)}`);
      } finally {
        await client.end();
      }
      return server.url(name);
    },
    stop() {
      stopped = true;
      return server.stop();
    },
  };
}
