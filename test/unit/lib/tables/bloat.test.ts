import { expect, test } from 'vitest';
import { tableWaste } from '../../../../lib/tables/bloat.ts';

const pages = { tableBytes: 1000, deadBytes: 100, deadRows: 1, freeBytes: 300, scannedPercent: 100 };

test('dead rows and free space are waste', () => {
  expect(tableWaste(pages, 100)).toEqual({ wastedPercent: 40, wastedBytes: 400, deadBytes: 100, freeBytes: 300 });
});

test('free space that the fillfactor asks for is none', () => {
  expect(tableWaste(pages, 80)).toMatchObject({ wastedPercent: 20, wastedBytes: 200 });
  expect(tableWaste(pages, 50)).toMatchObject({ wastedPercent: 10 });
});

test('an empty table wastes nothing', () => {
  expect(tableWaste({ ...pages, tableBytes: 0, deadBytes: 0, freeBytes: 0 }, 100)).toMatchObject({ wastedPercent: 0 });
});
