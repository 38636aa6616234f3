import { describe, expect, test, vi } from 'vitest';
import { databaseTarget, parseSnapshot, readTarget } from '../../../cli/target.ts';
import { databaseSnapshot, index, statement } from '../snapshots.ts';

const refused = (code: string, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) });
const full = () => {
  const plain = databaseSnapshot();
  return databaseSnapshot({
    indexes: { ...plain.indexes, indexes: [index('i')] },
    queries: { ...plain.queries, statements: [statement()] },
  });
};

describe('a snapshot file', () => {
  test('is read as it was written', () => {
    expect(parseSnapshot('s.json', JSON.stringify(full(), null, 2))).toEqual(full());
  });

  test.each(['', 'nothing', '{"takenAt":', '<html>'])('that is no JSON is refused: "%s"', (text) => {
    expect(() => parseSnapshot('s.json', text)).toThrow(
      refused('snapshot-invalid', /^s\.json is not JSON\. Make it with: streamgate snapshot/),
    );
  });

  test.each<[string, unknown, RegExp]>([
    ['something else', [1], /\(document: .*expected object/],
    ['nothing in it', {}, /\(takenAt: /],
    ['null', null, /\(document: /],
    ['a key of another version', { ...full(), cache: {} }, /\(document: .*"cache"/],
    ['no server', { ...full(), server: undefined }, /\(server: /],
    [
      'a wrong type far inside',
      { ...full(), indexes: { ...full().indexes, indexes: [{ ...index('i'), scans: 'many' }] } },
      /\(indexes\.indexes\.0\.scans: .*expected number/,
    ],
  ])('with %s is refused, naming the place', (_, json, message) => {
    expect(() => parseSnapshot('s.json', JSON.stringify(json))).toThrow(refused('snapshot-invalid', message));
    expect(() => parseSnapshot('s.json', JSON.stringify(json))).toThrow(
      /^s\.json is not a snapshot of this version .* FILE\.$/,
    );
  });

  test('that is not there is refused by its name', async () => {
    await expect(readTarget('/nowhere/s.json')).rejects.toThrow(
      refused('snapshot-invalid', /"\/nowhere\/s\.json" is neither .* \(ENOENT\)/),
    );
  });
});

describe('the database that is meant', () => {
  test('is the argument before DATABASE_URL', () => {
    vi.stubEnv('DATABASE_URL', 'postgres://db/environment');
    expect(databaseTarget('postgres://db/argument')).toBe('postgres://db/argument');
    expect(databaseTarget(undefined)).toBe('postgres://db/environment');
    vi.unstubAllEnvs();
  });

  test.each([undefined, ''])('must be said somewhere', (value) => {
    vi.stubEnv('DATABASE_URL', value);
    expect(() => databaseTarget(undefined)).toThrow(refused('database-url-invalid', /^Which database\?.*DATABASE_URL/));
    vi.unstubAllEnvs();
  });

  test('is told by where it was said, and never by its password', () => {
    vi.stubEnv('DATABASE_URL', 'mysql://u:geheim@db/shop');
    expect(() => databaseTarget(undefined)).toThrow(
      refused('database-url-invalid', /^DATABASE_URL starts with(?!.*geheim)/),
    );
    expect(() => databaseTarget('mysql://u:geheim@db/shop')).toThrow(
      refused('database-url-invalid', /^The database URL starts with(?!.*geheim)/),
    );
    vi.unstubAllEnvs();
  });

  test('of another kind is refused before anything is connected', async () => {
    await expect(readTarget('mysql://u:geheim@db/shop')).rejects.toThrow(refused('database-url-invalid', /mysql:/));
  });
});
