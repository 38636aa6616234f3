import { expect, test, vi } from 'vitest';
import { emf, scopeLine } from '../../../../../lib/queries/track/emf.ts';
import type { ScopeReport } from '../../../../../lib/queries/track/scope.ts';

const report: ScopeReport = {
  requestId: 'r-1',
  calls: 12,
  errors: 1,
  totalMs: 34.5,
  waitMs: 6.5,
  repeated: [{ query: 'select $1', kind: 'n-plus-one', calls: 11, totalMs: 30, place: 'src/orders.ts:3:5' }],
};

test('a scope is one line of metrics, with what was repeated beside them', () => {
  const line = scopeLine(report, { namespace: 'Shop', dimensions: { service: 'api' } }, 1_700_000_000_000);
  expect(line).not.toContain('\n');
  expect(JSON.parse(line)).toEqual({
    _aws: {
      Timestamp: 1_700_000_000_000,
      CloudWatchMetrics: [
        {
          Namespace: 'Shop',
          Dimensions: [['service']],
          Metrics: [
            { Name: 'Queries', Unit: 'Count' },
            { Name: 'QueryErrors', Unit: 'Count' },
            { Name: 'RepeatedQueries', Unit: 'Count' },
            { Name: 'QueryTime', Unit: 'Milliseconds' },
            { Name: 'ConnectionWait', Unit: 'Milliseconds' },
          ],
        },
      ],
    },
    requestId: 'r-1',
    repeated: report.repeated,
    service: 'api',
    Queries: 12,
    QueryErrors: 1,
    RepeatedQueries: 1,
    QueryTime: 34.5,
    ConnectionWait: 6.5,
  });
});

test('a scope that asked nothing has no line', () => {
  const write = vi.spyOn(process.stdout, 'write').mockReturnValue(true);
  try {
    const tell = emf();
    tell({ ...report, calls: 0 });
    expect(write).not.toHaveBeenCalled();
    tell(report);
    expect(write).toHaveBeenCalledOnce();
    expect(JSON.parse(String(write.mock.calls[0]?.[0]))).toMatchObject({ Queries: 12, requestId: 'r-1' });
  } finally {
    write.mockRestore();
  }
});
