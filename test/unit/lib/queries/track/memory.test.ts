import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const run = promisify(execFile);
const lib = join(import.meta.dirname, '../../../../../lib/queries/track.ts');

/** Tracks a client that keeps nothing, and looks for secrets in everything that is left in the memory. */
const script = `
  import { EventEmitter } from 'node:events';
  import { getHeapSnapshot } from 'node:v8';
  import { text } from 'node:stream/consumers';
  import { trackQueries } from ${JSON.stringify(lib)};

  const client = Object.assign(new EventEmitter(), { connect() {}, query: async () => ({ rowCount: 0 }) });
  const tracker = trackQueries(client, { repeats: 2, slowMs: 0, onSlow() {}, onRepeated() {} });
  const scope = tracker.invocation();
  // Nowhere does it stand as a whole.
  const secret = (name) => ['se', 'cret', name].join('-');
  async function ask() {
    for (let i = 0; i < 5; i++) {
      await client.query('select a from t where b = $1', [secret('value')]);
      await client.query('select a from t where b = any ($1)', [[secret('item')], Buffer.from(secret('bytes'))]);
      await client.query("select a from t where b = '" + secret('constant') + "'");
      await client.query('select a from t -- ' + secret('comment'));
      await client.query("select '" + secret('long') + 'x'.repeat(10_000) + "'");
      await client.query('select \\'' + secret('unreadable') + "\\\\'");
    }
  }
  await ask();
  await tracker.stats();
  // What is not secret is kept, and is found.
  await client.query('select kept');
  const heap = await text(getHeapSnapshot());
  const found = heap.match(/se-?cret-[a-z]+/g) ?? [];
  console.log(JSON.stringify({ found: [...new Set(found)], finds: heap.includes('"select kept"') }));
  scope.end();
`;

test('no value, no constant and no comment is in the memory, during an invocation', async () => {
  const { stdout } = await run(process.execPath, ['--no-warnings', '--input-type=module', '--eval', script], {
    maxBuffer: 1e8,
  });
  expect(JSON.parse(stdout)).toEqual({ found: [], finds: true });
});
