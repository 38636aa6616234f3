import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { byTable } from '../../../../lib/indexes/by-table.ts';

const names = fc.constantFrom('a', 'b', 'a.b', '', 'constructor', '__proto__');
const items = fc.array(fc.record({ schema: names, table: names, value: fc.nat(9) }));

test('what belongs to a table is found by its name, in its order, and nothing else', () => {
  fc.assert(
    fc.property(items, names, names, (all, schema, table) => {
      const own = all.filter((each) => each.schema === schema && each.table === table);
      expect(byTable(all).get({ schema, table })).toEqual(own);
    }),
  );
});

test('every item is in the group of its table, the tables in the order in which they come first', () => {
  fc.assert(
    fc.property(items, (all) => {
      const expected = Map.groupBy(all, ({ schema, table }) => JSON.stringify([schema, table]));
      expect(byTable(all).groups).toEqual([...expected.values()]);
    }),
  );
});
