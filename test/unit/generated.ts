/** Arbitrary values for properties: from small alphabets, so that collisions are the rule. */
import fc from 'fast-check';
import type { Finding } from '../../lib/advice/finding.ts';
import type { Element, Index } from '../../lib/indexes/snapshot.ts';
import { constraint, element, finding, index, mebibyte } from './snapshots.ts';

export const elements: fc.Arbitrary<Element[]> = fc.array(
  fc
    .record({
      column: fc.constantFrom('a', 'b'),
      descending: fc.boolean(),
      nullsFirst: fc.boolean(),
      collation: fc.constantFrom(null, null, null, 'C'),
    })
    .map(({ column, ...rest }) => element(column, rest)),
  { minLength: 1, maxLength: 2 },
);

/** What an index enforces or serves; only what PostgreSQL can have at once. */
const roles: fc.Arbitrary<Partial<Index>> = fc.oneof(
  { weight: 6, arbitrary: fc.constant<Partial<Index>>({}) },
  { weight: 1, arbitrary: fc.constant<Partial<Index>>({ clustered: true }) },
  { weight: 1, arbitrary: fc.constant<Partial<Index>>({ valid: false }) },
  { weight: 1, arbitrary: fc.constant<Partial<Index>>({ parent: 'public.whole' }) },
  { weight: 1, arbitrary: fc.constant<Partial<Index>>({ partitioned: true }) },
  {
    weight: 1,
    arbitrary: fc.constant<Partial<Index>>({ exclusion: true, constraint: constraint('exclusion') }),
  },
  {
    weight: 4,
    arbitrary: fc.record<Partial<Index>>({
      unique: fc.constant(true),
      nullsNotDistinct: fc.boolean(),
      replicaIdentity: fc.constantFrom(false, false, true),
      referencedBy: fc.constantFrom(0, 0, 1),
      constraint: fc.constantFrom(null, constraint('unique')),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.constant<Partial<Index>>({ unique: true, constraint: constraint('unique', { deferrable: true }) }),
  },
  {
    weight: 1,
    arbitrary: fc.boolean().map(
      (deferrable): Partial<Index> => ({
        unique: true,
        primary: true,
        constraint: constraint('primary key', { deferrable }),
      }),
    ),
  },
);

/** An index of a table of one or two columns; `keys` says of what. */
export function indexOf(keys: fc.Arbitrary<Element[]>): fc.Arbitrary<Partial<Index>> {
  return fc
    .tuple(
      fc.record<Partial<Index>>({
        table: fc.constantFrom('t', 't', 't', 'u'),
        elements: keys,
        method: fc.constantFrom('btree', 'btree', 'btree', 'hash'),
        included: fc.constantFrom([], [], ['x', 'y'], ['y', 'x']),
        predicate: fc.constantFrom(null, null, null, '(a > 0)'),
        scans: fc.constantFrom(0, 0, 1, 5),
        sizeBytes: fc.constantFrom(8192, mebibyte, 2 * mebibyte),
      }),
      roles,
    )
    .map(([shape, role]) => ({ ...shape, ...role }));
}

/** Up to ten indexes with names of their own. */
export function indexesOf(keys: fc.Arbitrary<Element[]>): fc.Arbitrary<Index[]> {
  return fc
    .array(indexOf(keys), { maxLength: 10 })
    .chain((shapes) =>
      fc
        .shuffledSubarray([...'abcdefghij'], { minLength: shapes.length, maxLength: shapes.length })
        .map((names) => shapes.map((shape, i) => index(names[i] ?? '', shape))),
    );
}

export const indexes = indexesOf(elements);

export const findings: fc.Arbitrary<Finding> = fc
  .record({
    rule: fc.constantFrom('indexes/unused', 'queries/slow'),
    severity: fc.constantFrom('critical', 'warning', 'info'),
    name: fc.constantFrom(...'abcdef'),
    msPerDay: fc.constantFrom(undefined, 1, 2),
    bytes: fc.constantFrom(undefined, 1, 2),
  })
  .map(({ rule, severity, name, msPerDay, bytes }) =>
    finding({
      rule,
      severity,
      subject: { database: 'shop', index: name },
      impact: { ...(msPerDay === undefined ? {} : { msPerDay }), ...(bytes === undefined ? {} : { bytes }) },
    }),
  );
