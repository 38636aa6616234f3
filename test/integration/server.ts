import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import type { PostgresBinaries } from '../../local/binaries.ts';
import { startPostgres } from '../../local/postgres.ts';

declare module 'vitest' {
  interface ProvidedContext {
    /** The URL of a real PostgreSQL, as superuser, to its database `postgres`. */
    postgresUrl: string;
  }
}

/**
 * One PostgreSQL for all tests of a run: the embedded one, or the one whose package directory
 * TEST_POSTGRES names. Each test file makes databases of its own in it.
 */
export default async function setup(project: TestProject) {
  const directory = await mkdtemp(join(tmpdir(), 'streamgate-test-'));
  const installed = process.env.TEST_POSTGRES;
  const binaries = installed ? ((await import(installed)) as PostgresBinaries) : undefined;
  const server = await startPostgres({
    directory,
    ...(binaries ? { binaries } : {}),
    // Statistics must stand still while a test looks at them, and no statement of one test make room for those of others.
    settings: { fsync: 'off', autovacuum: 'off', 'pg_stat_statements.max': '60000' },
  });
  project.provide('postgresUrl', server.url('postgres'));
  return async () => {
    await server.stop();
    await rm(directory, { recursive: true, force: true });
  };
}
