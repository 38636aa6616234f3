import { beforeAll, describe, expect, test } from 'vitest';
import { informationSql, statementsSql } from '../../../../lib/queries/statements.sql.ts';
import { loadParser, readText } from '../../../../lib/queries/text.ts';

beforeAll(() => loadParser());

const columns = ['calls', 'total_exec_time', 'min_exec_time', 'max_exec_time', 'stddev_exec_time', 'rows', 'wal_bytes'];

describe('the statement that reads pg_stat_statements', () => {
  test.each([
    [
      '17',
      ['shared_blk_read_time', 'shared_blk_write_time', 'stats_since'],
      /s\.shared_blk_read_time as "readMs"/,
      /s\.stats_since as since/,
    ],
    ['13', ['blk_read_time', 'blk_write_time'], /s\.blk_read_time as "readMs"/, /null::timestamptz as since/],
  ])('reads the columns as PostgreSQL %s calls them', (_, extra, readMs, since) => {
    const sql = statementsSql('public', new Set([...columns, ...extra]));
    expect(sql).toMatch(readMs);
    expect(sql).toMatch(since);
    expect(readText(sql).kind).toBe('select');
  });

  test('takes a counter that the view lacks as zero', () => {
    expect(statementsSql('public', new Set(['calls']))).toMatch(/0 as "walBytes"/);
  });

  test.each([statementsSql('a"b', new Set(columns)), informationSql('a"b')])(
    'quotes the schema of the extension',
    (sql) => {
      expect(sql).toContain('from "a""b".pg_stat_statements');
      expect(readText(sql).kind).toBe('select');
    },
  );
});
