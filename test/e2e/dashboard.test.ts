import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import chromium from '@sparticuz/chromium';
import { type Browser, type Page, chromium as playwright } from 'playwright-core';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { handler as auditIndexes } from '../../functions/audits/indexes.ts';
import { handler as auditQueries } from '../../functions/audits/queries.ts';
import { configure, letGo, serveApi, tokens } from '../integration/api.ts';
import { createDatabase, type TestDatabase } from '../integration/database.ts';

// The npm package brings a Chromium for Linux on x64 alone.
const here = process.platform === 'linux' && process.arch === 'x64';

let database: TestDatabase;
let browser: Browser | undefined;
let page: Page;
let address: string;
let close: () => Promise<void>;
let unpacked: string;
const problems: string[] = [];

beforeAll(async () => {
  if (!here) return;
  database = await createDatabase();
  await database.run(
    'create table "<b>bold</b>" (id int primary key, a int)',
    'insert into "<b>bold</b>" select i, i from generate_series(1, 20000) i',
    'create index twin_1 on "<b>bold</b>" (a)',
    'create index twin_2 on "<b>bold</b>" (a)',
  );
  await configure({ DATABASE_URL: database.url, STREAMGATE_HISTORY_URL: database.url });
  const time = new Date().toISOString();
  await auditIndexes({ time });
  await auditQueries({ time });
  const api = await serveApi();
  close = api.close;
  address = `http://127.0.0.1:${api.port}/`;
  // It unpacks itself among the temporary files, where another account's copy may be in the way.
  unpacked = await mkdtemp(join(tmpdir(), 'streamgate-chromium-'));
  vi.stubEnv('TMPDIR', unpacked);
  browser = await playwright
    .launch({
      executablePath: await chromium.executablePath(),
      // Lambda has no room for a second process; here one that dies would take the others along.
      args: [...chromium.args.filter((arg) => arg !== '--single-process'), '--disable-background-networking'],
    })
    .catch((error: Error) => {
      if (/shared libraries/.test(error.message)) return undefined;
      throw error;
    });
  if (!browser) return;
  page = await browser.newPage();
  page.on('pageerror', (error) => problems.push(error.message));
  page.on('console', (message) => message.type() === 'error' && problems.push(message.text()));
});

afterAll(async () => {
  if (!here) return;
  await browser?.close();
  await close?.();
  await letGo();
  await rm(unpacked, { recursive: true, force: true });
  await database?.drop();
});

const withBrowser = (name: string, body: (browser: Browser) => Promise<void>) =>
  test.runIf(here)(name, ({ skip }) =>
    browser
      ? body(browser)
      : skip('Chromium needs libraries that this machine lacks: install libnss3 and what belongs to it.'),
  );

withBrowser('the page shows what the API recommends, and takes the token out of the address', async () => {
  await page.goto(`${address}#token=${tokens.reader}`);
  const first = page.locator('#recommendations li').filter({ hasText: 'twin_2 duplicates public.twin_1' });
  await first.waitFor();
  expect(await first.locator('pre').textContent()).toBe('DROP INDEX CONCURRENTLY IF EXISTS public.twin_2;');
  expect(page.url()).toBe(address);
  expect(await page.locator('#indexes tr').count()).toBe(4);
  expect(await page.title()).toBe('StreamGate');
  expect(problems).toEqual([]);
});

withBrowser('names that look like markup are shown as they are', async () => {
  expect(await page.locator('#indexes').textContent()).toContain('<b>bold</b>');
  expect(await page.locator('#indexes b').count()).toBe(0);
});

withBrowser('who has no token is asked for one', async (chromium) => {
  const context = await chromium.newContext();
  const stranger = await context.newPage();
  await stranger.goto(address);
  await stranger.locator('#problem').waitFor();
  expect(await stranger.locator('#problem').textContent()).toContain('Authorization: Bearer');
  await stranger.locator('#token').fill(tokens.reader);
  await stranger.getByRole('button', { name: 'Open' }).click();
  await stranger.locator('#recommendations li').first().waitFor();
  expect(await stranger.locator('#login').isHidden()).toBe(true);
  await context.close();
});
