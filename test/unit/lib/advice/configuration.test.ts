import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parseConfiguration, readConfiguration, runRules } from '../../../../lib/advice/configuration.ts';
import { bySeverity } from '../../../../lib/advice/finding.ts';
import { roster } from '../../../../lib/audit.ts';
import { indexRules } from '../../../../lib/indexes/rules/index.ts';
import { index, indexSnapshot } from '../../snapshots.ts';

const directory = mkdtempSync(join(tmpdir(), 'streamgate-configuration-'));
afterAll(() => rmSync(directory, { recursive: true }));

const parse = (text: string) => parseConfiguration('some.json', text, roster);
const refused = (message: RegExp) =>
  expect.objectContaining({ code: 'configuration-invalid', message: expect.stringMatching(message) });

describe('a configuration file', () => {
  test('switches rules off and tunes them', () => {
    const text = '{"rules":{"indexes/unused":{"maxScans":3},"queries/slow":false}}';
    expect(parse(text)).toEqual({ 'indexes/unused': { maxScans: 3 }, 'queries/slow': false });
  });

  test.each(['{}', '{"rules":{}}'])('may say nothing: %s', (text) => {
    expect(parse(text)).toEqual({});
  });

  test.each([
    ['broken JSON', '{"rules":', /^some\.json: not JSON \(.*\)\.$/],
    ['an empty file', '', /^some\.json: not JSON \(.*\)\.$/],
    ['something else than an object', '[]', /^some\.json: .*expected object/],
    ['an unknown key', '{"rule":{}}', /^some\.json: .*"rule"/],
    [
      'an unknown rule, with those that there are',
      '{"rules":{"indexes/unsued":false}}',
      /"indexes\/unsued".*indexes\/unused.*queries\/slow/,
    ],
    ['an unknown option', '{"rules":{"indexes/unused":{"minByte":1}}}', /"indexes\/unused".*"minByte"/],
    ['a wrong type', '{"rules":{"indexes/unused":{"minBytes":"1"}}}', /"indexes\/unused": minBytes: .*expected number/],
    [
      'a value out of range',
      '{"rules":{"indexes/fragmented":{"maxWastedPercent":101}}}',
      /"indexes\/fragmented"[\s\S]*maxWastedPercent/,
    ],
    ['true for a rule', '{"rules":{"indexes/unused":true}}', /indexes\/unused/],
    ['null for a rule', '{"rules":{"indexes/unused":null}}', /indexes\/unused/],
  ])('is refused for %s', (_, text, message) => {
    expect(() => parse(text)).toThrow(refused(message));
  });

  test('may be missing when nobody asked for it', () => {
    const before = process.cwd();
    process.chdir(directory);
    try {
      expect(readConfiguration(undefined, roster)).toEqual({});
      expect(readConfiguration('', roster)).toEqual({});
    } finally {
      process.chdir(before);
    }
  });

  test('must be there when somebody asked for it', () => {
    expect(() => readConfiguration(join(directory, 'nowhere.json'), roster)).toThrow(
      refused(/nowhere\.json cannot be read/),
    );
  });

  test('that is a directory is an error, asked for or not', () => {
    expect(() => readConfiguration(directory, roster)).toThrow(refused(/cannot be read/));
  });

  test('is read from the disk and named in messages', () => {
    const path = join(directory, 'own.json');
    writeFileSync(path, '{"rules":{"queries/slow":{"minMeanMs":5}}}');
    expect(readConfiguration(path, roster)).toEqual({ 'queries/slow': { minMeanMs: 5 } });
    writeFileSync(path, '{');
    expect(() => readConfiguration(path, roster)).toThrow(refused(/own\.json: not JSON/));
  });
});

describe('running rules', () => {
  const twins = indexSnapshot([index('small', { sizeBytes: 20_000 }), index('large', { sizeBytes: 40_000 })]);

  test('sorts what all of them found, worst first', () => {
    const found = runRules(indexRules, twins);
    expect(found.map(({ rule }) => rule).sort()).toEqual(['indexes/duplicate', 'indexes/unused', 'indexes/unused']);
    expect(found).toEqual([...found].sort(bySeverity));
  });

  test('leaves out what is switched off', () => {
    const found = runRules(indexRules, twins, { 'indexes/unused': false });
    expect(found.map(({ rule }) => rule)).toEqual(['indexes/duplicate']);
  });

  test('gives a rule its options, and the defaults of those that are not said', () => {
    const found = runRules(indexRules, twins, { 'indexes/unused': { minBytes: 30_000 }, 'indexes/duplicate': false });
    expect(found.map(({ subject }) => subject.index)).toEqual(['large']);
  });

  test('runs with the defaults what is configured with nothing', () => {
    expect(runRules(indexRules, twins, { 'indexes/unused': {} })).toEqual(runRules(indexRules, twins));
  });
});
