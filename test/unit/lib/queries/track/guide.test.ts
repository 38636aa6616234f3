import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test, vi } from 'vitest';
import { trackQueries } from '../../../../../lib/queries/track.ts';

const page = readFileSync(join(import.meta.dirname, '../../../../../docs/guides/track-queries.md'), 'utf8');

/** The rows of the table that has such a head, by the cells in them. */
function tableOf(head: string): string[][] {
  const [, rows = ''] = page.split(`\n| ${head} |`);
  const [table = ''] = rows.split('\n\n');
  return table
    .split('\n')
    .slice(2)
    .map((row) =>
      row
        .split('|')
        .map((cell) => cell.trim())
        .slice(1, -1),
    );
}

/** What stands in it as code, without what stands in parentheses. */
const namesIn = (cell = '') => [...cell.matchAll(/`(\w+)/g)].map(([, name = '']) => name);

const newClient = () =>
  Object.assign(new EventEmitter(), { connect() {}, query: async (_: string, __: unknown[]) => ({ rowCount: 1 }) });

test('the guide lists what is known of a statement, and nothing else', async () => {
  const client = newClient();
  const tracker = trackQueries(client);
  await client.query('select $1', [1]);
  const [statement] = await tracker.stats();
  const listed = tableOf('property | what').flatMap(([names]) => namesIn(names));
  expect(listed.sort()).toEqual(Object.keys(statement ?? {}).sort());
});

test('the guide lists options that there are, with their defaults', async () => {
  const options = new Map(tableOf('option | default | what').map(([name, value]) => [namesIn(name)[0] ?? '', value]));
  expect(options.size).toBe(6);
  for (const [name, value] of options) {
    const given = value === 'none' ? () => {} : Number(namesIn(value)[0]);
    expect(() => trackQueries(newClient(), { [name]: given })).not.toThrow();
  }
  const repeats = Number(namesIn(options.get('repeats'))[0]);
  const onRepeated = vi.fn();
  const client = newClient();
  const tracker = trackQueries(client, { onRepeated });
  for (const calls of [repeats - 1, repeats]) {
    await tracker.run(async () => {
      for (let i = 0; i < calls; i++) await client.query('select $1', [i]);
    });
  }
  expect(onRepeated.mock.calls).toMatchObject([[{ calls: repeats }]]);
});

test.each([
  ['n-plus-one', 'select a from t where b = $1', (i: number) => [i]],
  ['same-values', 'select a from t where b = $1', () => [1]],
  ['row-by-row', 'delete from t where b = $1', (i: number) => [i]],
])('the guide explains %s, and it is told', async (kind, text, values) => {
  expect(
    tableOf('kind | what was called | what to do').map(([name]) => namesIn(name?.replaceAll('-', '_'))[0]),
  ).toContain(kind.replaceAll('-', '_'));
  const found: string[] = [];
  const client = newClient();
  const tracker = trackQueries(client, { onRepeated: (one) => found.push(one.kind) });
  await tracker.run(async () => {
    for (let i = 0; i < 10; i++) await client.query(text, values(i));
  });
  expect(found).toEqual([kind]);
});
