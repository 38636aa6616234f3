/**
 * Waits for the index advisor on a small workload; lets it and its peers choose indexes for two others, and compares what PostgreSQL
 * takes them to cost then; builds what was chosen and measures it; and compares the sizes that were expected with real ones.
 *
 *   npm run bench:indexes               prints it
 *   npm run bench:indexes -- --write    also puts it into docs/benchmarks.md
 *   npm run bench:indexes -- saas       only one of small, tpch, saas and sizes; writes nothing
 *
 * Needs a PostgreSQL with HypoPG: see server.ts. A goal that is not met is no error: a bench tells, it does not judge.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readServer } from '../../lib/postgres/server.ts';
import { withSession } from '../../lib/postgres/session.ts';
import { startPostgres } from '../../local/postgres.ts';
import { machine } from '../cache/machine.ts';
import { markdownOf } from '../cache/measure.ts';
import { withClient } from '../queries/client.ts';
import { writeReport } from '../report.ts';
import { sectionsOf } from './sections.ts';
import { serverWithHypopg } from './server.ts';
import { sizes } from './sizes.ts';
import { small } from './small.ts';
import { saas, tpch } from './workloads.ts';

const names = ['small', 'tpch', 'saas', 'sizes'];
const wanted = process.argv.slice(2).filter((word) => names.includes(word));
const isWriting = process.argv.includes('--write') && wanted.length === 0;
const isWanted = (name: string) => wanted.length === 0 || wanted.includes(name);

const directory = await mkdtemp(join(tmpdir(), 'streamgate-bench-'));
// One process for each plan, and no compiling: the costs are then those of the plans alone.
const settings = {
  fsync: 'off',
  autovacuum: 'off',
  max_parallel_workers_per_gather: '0',
  work_mem: '64MB',
  jit: 'off',
};
const server = await startPostgres({ directory, settings, binaries: await serverWithHypopg() });
try {
  const { rows } = await withClient(server.url('postgres'), (client) =>
    client.query(
      `select current_setting('server_version') as postgres, default_version as hypopg from pg_available_extensions where name = 'hypopg'`,
    ),
  );
  const parts = [
    `## Indexes\n\n${machine()}\n- **PostgreSQL**: ${rows[0].postgres} with HypoPG ${rows[0].hypopg}, on the same machine`,
  ];
  console.log(parts[0]);
  const add = (part: string) => {
    parts.push(part);
    console.log(`\n${part}`);
  };
  if (isWanted('small')) {
    // First: what was compiled for the others would make its first run faster.
    process.stderr.write('small …\n');
    add(markdownOf(await small(server)));
  }
  for (const workload of [tpch(0.1), saas(200)]) {
    if (!isWanted(workload.name)) continue;
    process.stderr.write(`${workload.name} …\n`);
    await workload.load(server);
    const url = server.url(workload.name);
    const found = await withSession(url, async (session) =>
      sectionsOf(session, await readServer(session), workload, (work) => withClient(url, work)),
    );
    for (const section of found) add(markdownOf(section));
  }
  if (isWanted('sizes')) {
    process.stderr.write('sizes …\n');
    add(markdownOf(await sizes(server)));
  }
  if (isWriting) await writeReport('bench:indexes', parts.join('\n\n'));
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}
