import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { queryRules } from '../../../../lib/queries/rules/index.ts';

const tests = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.test.ts'))
  .map((name) => readFileSync(join(import.meta.dirname, name), 'utf8'));

test.each(queryRules.map(({ id }) => id))('%s is tried on a real server', (id) => {
  // As the whole of a string, or as the beginning of a test's name.
  expect(tests.some((text) => text.includes(`'${id}'`) || text.includes(`'${id}:`))).toBe(true);
});
