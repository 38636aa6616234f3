/**
 * How long somebody waits for advice on a small API: the tables of a project-management service with half a million rows, and the
 * statements that it sends every day, reports and changes among them.
 */
import { adviseDatabase } from '../../lib/indexes/advisor/advise-database.ts';
import { hypopgPricing } from '../../lib/indexes/advisor/pricing.ts';
import { workloadOfFile } from '../../lib/indexes/advisor/workload.ts';
import { readServer } from '../../lib/postgres/server.ts';
import { withSession } from '../../lib/postgres/session.ts';
import type { EmbeddedPostgres } from '../../local/postgres.ts';
import { digits, limitGoal, type Section, sampleOf } from '../cache/measure.ts';
import { everyday } from '../queries/api/everyday.ts';
import { schema } from '../queries/api/schema.ts';
import { withClient } from '../queries/client.ts';

const runs = 5;

/** In milliseconds: nobody who waits this long takes a coffee. */
const mostMs = 1_000;

/** The tables that the statements read. Values depend on nothing but the row's number. */
const rows: readonly string[] = [
  `insert into organizations (slug, name, plan, settings) select 'org-' || g, 'Organization ' || g, (array['free', 'team', 'pro'])[1 + g % 3], case when g % 9 = 0 then '{"beta": true, "region": "eu"}' else '{}' end::jsonb from generate_series(1, 500) g`,
  `insert into users (email, name, is_active, last_seen_at, created_at) select 'user' || g || '@example.com', 'Name ' || md5(g::text), g % 10 > 0, timestamptz '2026-01-01' + g * interval '1 minute', timestamptz '2024-01-01' + g * interval '1 hour' from generate_series(1, 20000) g`,
  `insert into memberships select 1 + g % 503, 1 + g / 2, (array['member', 'admin', 'guest'])[1 + g % 3] from generate_series(0, 39999) g`,
  `insert into sessions select md5(g::text)::uuid, 1 + g % 20000, '10.0.0.1', timestamptz '2026-01-01' + g * interval '10 minutes' from generate_series(1, 20000) g`,
  `insert into projects (organization_id, name, budget, archived_at) select 1 + g % 503, 'Project ' || g, g % 20000, case when g % 4 = 0 then now() end from generate_series(1, 5000) g`,
  `insert into tasks (project_id, assignee_id, title, status, priority, position, estimate_hours, due_on, created_at) select 1 + g % 5000, case when g % 5 > 0 then 1 + g % 20000 end, 'task about ' || md5((g % 1000)::text), case when g % 1000 = 0 then 'queued' else (array['open', 'done', 'done', 'done', 'dropped'])[1 + g % 5] end, 1 + g % 5, g % 100, g % 40, date '2025-06-01' + g % 500, timestamptz '2025-01-01' + g * interval '5 minutes' from generate_series(1, 60000) g`,
  `insert into comments (task_id, author_id, body, created_at) select 1 + g::bigint * 7919 % 60000, 1 + g % 20000, repeat('words ', 8), timestamptz '2025-01-01' + g * interval '3 minutes' from generate_series(1, 120000) g`,
  `insert into tags (organization_id, name) select 1 + g % 503, 'tag ' || g / 503 from generate_series(0, 5029) g`,
  `insert into task_tags select 1 + g % 60000, 1 + (g % 60000 + g / 60000 * 13) % 5030 from generate_series(0, 89999) g`,
  `insert into invoices (organization_id, number, status, total, issued_on, paid_at) select 1 + g % 503, 'R' || g, (array['draft', 'open', 'paid', 'paid'])[1 + g % 4], g % 9000, date '2024-01-01' + g % 900, case when g % 4 > 1 then timestamptz '2024-01-01' + g * interval '1 hour' end from generate_series(1, 20000) g`,
  `insert into invoice_items (invoice_id, description, quantity, unit_price) select 1 + g % 20000, 'item', 1 + g % 5, g % 700 from generate_series(1, 60000) g`,
  `insert into events (organization_id, user_id, kind, payload, duration_ms, created_at) select 1 + g % 503, 1 + g % 20000, (array['request', 'request', 'login', 'export'])[1 + g % 4], jsonb_build_object('path', '/' || g % 50, 'plan', (array['free', 'pro'])[1 + g % 2]), g % 900, timestamptz '2025-06-01' + g * interval '2 minutes' from generate_series(1, 120000) g`,
  'vacuum analyze',
];

/** Waits for advice several times, each on a connection of its own. */
export async function small(server: EmbeddedPostgres): Promise<Section> {
  await withClient(server.url('postgres'), (client) => client.query('create database small'));
  const url = server.url('small');
  await withClient(url, async (client) => {
    for (const sql of ['create extension hypopg', ...schema, ...rows]) await client.query(sql);
  });
  const advised: Awaited<ReturnType<typeof advice>>[] = [];
  for (let run = 0; run < runs; run++) advised.push(await advice(url));
  const [first] = advised;
  const wall = sampleOf(advised.map(({ ms }) => ms));
  const cpu = sampleOf(advised.map(({ cpuMs }) => cpuMs));
  const { statements = 0, indexes = 0, calls = 0, percent = Number.NaN } = first ?? {};
  return {
    title: `A small API, ${everyday.length} statements: how long it takes`,
    method: `From a connection to the advice, any size allowed, in one process; the first run is that of a program that has just been started. ${statements} statements have a plan and something to index. The workload then costs ${percent.toFixed(1)} % of what it does without the ${indexes} indexes.`,
    head: ['', 'ms', 'least', 'most', 'first run', 'processor, ms', 'plans'],
    rows: [
      [
        'advisor',
        ...[wall.median, wall.min, wall.max, first?.ms ?? Number.NaN, cpu.median].map(digits),
        calls.toLocaleString('en'),
      ],
    ],
    goals: [
      limitGoal(`a small API in less than a second (median of ${runs})`, mostMs / 1_000, wall.median / 1_000, ' s'),
      limitGoal('the same in the first run', mostMs / 1_000, (first?.ms ?? Number.NaN) / 1_000, ' s'),
    ],
  };
}

async function advice(url: string) {
  const cpu = process.cpuUsage();
  const from = performance.now();
  const told = await withSession(url, async (session) => {
    const server = await readServer(session);
    const pricing = hypopgPricing(session, server);
    if (!pricing) throw new Error('This needs HypoPG.');
    const workload = await workloadOfFile(everyday.map(({ sql }) => sql).join(';\n'));
    return adviseDatabase(session, server, { workload, pricing, budgetBytes: null, valuesAllowed: true });
  });
  const { user, system } = process.cpuUsage(cpu);
  const { queries, indexes, plannerCalls, workload } = told;
  return {
    ms: performance.now() - from,
    cpuMs: (user + system) / 1_000,
    statements: queries.length,
    indexes: indexes.length,
    calls: plannerCalls,
    percent: (100 * workload.costAfter) / workload.costBefore,
  };
}
