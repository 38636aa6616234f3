import { describe, expect, test } from 'vitest';
import { runRules } from '../../../../lib/advice/configuration.ts';
import { type CatalogKeys, KeyMaker, type KeyName } from '../../../../lib/indexes/keys.ts';
import { indexRules } from '../../../../lib/indexes/rules/index.ts';
import { element, index, indexSnapshot } from '../../snapshots.ts';

const names: KeyName[] = [
  { kind: 'class', oid: 1, name: 'int4_ops', equality: true },
  { kind: 'class', oid: 2, name: 'ext.gist_trgm_ops', equality: false },
  { kind: 'class', oid: 3, name: 'text_ops', equality: true },
  // The same number as a class has.
  { kind: 'collation', oid: 3, name: 'C', equality: false },
];

/** An index of one integer column. */
function keys(overrides: Partial<CatalogKeys> = {}): CatalogKeys {
  return {
    keyCount: 1,
    attributes: '4',
    classes: '1',
    collations: '0',
    orders: '0',
    columns: '{ "4" : ["a", 0] }',
    expressions: null,
    parameters: null,
    ...overrides,
  };
}

function make(overrides: Partial<CatalogKeys> = {}) {
  const maker = new KeyMaker();
  maker.learn(names);
  return maker.keysOf(keys(overrides));
}

describe('the keys of an index', () => {
  test('are its columns by their numbers, and those of INCLUDE in their order', () => {
    const columns = '{ "2" : ["b b", 0], "4" : ["a", 0], "9" : ["z", 0], "-1" : ["ctid", 0] }';
    const made = make({
      keyCount: 2,
      attributes: '9 2 4 -1',
      classes: '1 1',
      collations: '0 0',
      orders: '0 0',
      columns,
    });
    expect(made).toEqual({ elements: [element('z'), element('b b')], included: ['a', 'ctid'] });
  });

  test('are expressions where a column has no number, each at its own place', () => {
    const made = make({
      keyCount: 3,
      attributes: '0 4 0',
      classes: '3 1 1',
      collations: '3 0 0',
      orders: '0 0 0',
      expressions: '{ "1" : "lower(t)", "3" : "(a + 1)" }',
    });
    expect(made.elements).toEqual([
      element(null, { expression: 'lower(t)', operatorClass: 'text_ops', collation: 'C' }),
      element('a'),
      element(null, { expression: '(a + 1)' }),
    ]);
  });

  test.each([
    ['0', false, false],
    ['1', true, false],
    ['2', false, true],
    ['3', true, true],
  ])('with the order %s are descending: %s, with nulls first: %s', (orders, isDescending, nullsFirst) => {
    expect(make({ orders }).elements).toEqual([element('a', { descending: isDescending, nullsFirst })]);
  });

  test('have the parameters of their operator classes', () => {
    const parameters = '{ "1" : ["siglen=32"] }';
    const expected = element('a', { operatorClass: 'ext.gist_trgm_ops', parameters: ['siglen=32'], equality: false });
    expect(make({ classes: '2', parameters }).elements).toEqual([expected]);
  });

  test('can be searched by = only under the collation of the column', () => {
    const columns = '{ "4" : ["a", 3] }';
    const equality = (collations: string) => make({ classes: '3', columns, collations }).elements[0]?.equality;
    expect([equality('3'), equality('100')]).toEqual([true, false]);
  });
});

describe('a maker of keys', () => {
  test('asks for each name once, and no more when it has learned it', () => {
    const maker = new KeyMaker();
    const rows = [keys(), keys({ classes: '1 3', collations: '0 3' }), keys({ classes: '3', collations: '3' })];
    expect(maker.unknownIn(rows)).toEqual({ classes: [1, 3], collations: [3] });
    maker.learn(names.filter(({ oid }) => oid === 3));
    expect(maker.unknownIn(rows)).toEqual({ classes: [1], collations: [] });
    expect(maker.unknownIn([])).toEqual({ classes: [], collations: [] });
  });

  test('gives indexes that have the same keys the same ones, and no others', () => {
    const maker = new KeyMaker();
    maker.learn(names);
    const first = maker.keysOf(keys());
    expect(maker.keysOf(keys())).toBe(first);
    for (const other of [{ orders: '3' }, { columns: '{ "4" : ["b", 0] }' }, { classes: '3' }, { attributes: '0' }]) {
      expect(maker.keysOf(keys(other))).not.toBe(first);
    }
  });

  test('may share them, because no rule changes any', () => {
    const shared = Object.freeze([Object.freeze(element('b')), Object.freeze(element('a'))]) as never;
    const included = Object.freeze(['z', 'c']) as never;
    const indexes = ['i', 'j', 'k'].map((name) => index(name, { elements: shared, included }));
    const found = runRules(indexRules, indexSnapshot(indexes));
    expect(found.map(({ rule }) => rule)).toContain('indexes/duplicate');
  });
});
