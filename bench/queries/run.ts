/**
 * Measures two workloads before and after the advice of the audits is followed, and what an audit of very many statements costs,
 * and how many statements are explained without their constants on the versions that `npm run test:versions` has installed. Prints what comes out as Markdown.
 *
 *   npm run bench:queries               prints it
 *   npm run bench:queries -- --write    also puts it into docs/benchmarks.md
 *   npm run bench:queries -- tpch       only one of tpch, demo, collector and explained; writes nothing
 *
 * A goal that is not met is no error: a bench tells, it does not judge.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EmbeddedPostgres, startPostgres } from '../../local/postgres.ts';
import { machine } from '../cache/machine.ts';
import { markdownOf } from '../cache/measure.ts';
import { writeReport } from '../report.ts';
import { beforeAndAfter } from './advice.ts';
import { withClient } from './client.ts';
import { collector } from './collector.ts';
import { explained, installedVersions } from './explained.ts';
import { demo, tpch, type Workload } from './workloads.ts';

const advised = (workload: Workload) => async (server: EmbeddedPostgres) =>
  beforeAndAfter(workload, await workload.load(server));

const sections = {
  tpch: advised(tpch(0.02)),
  demo: advised(demo(500_000)),
  collector,
  explained: async () => explained(await installedVersions()),
};

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('--'));
const isWriting = process.argv.includes('--write') && wanted.length === 0;

const directory = await mkdtemp(join(tmpdir(), 'streamgate-bench-'));
const server = await startPostgres({
  directory,
  settings: { fsync: 'off', max_wal_size: '4GB', shared_buffers: '512MB' },
});
try {
  const { rows } = await withClient(server.url('postgres'), (client) => client.query('show server_version'));
  const parts = [
    `## Queries\n\n${machine()}\n- **PostgreSQL**: ${rows[0].server_version}, embedded, on the same machine`,
  ];
  console.log(parts[0]);
  for (const [name, measure] of Object.entries(sections)) {
    if (wanted.length > 0 && !wanted.includes(name)) continue;
    process.stderr.write(`${name} …\n`);
    const part = markdownOf(await measure(server));
    parts.push(part);
    console.log(`\n${part}`);
  }
  if (isWriting) await writeReport('bench:queries', parts.join('\n\n'));
} finally {
  await server.stop();
  await rm(directory, { recursive: true, force: true });
}
