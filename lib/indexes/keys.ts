/** The keys of indexes, made of the numbers that the catalog has of them. Of very many indexes most have the keys of another one. */
import type { Element } from './snapshot.ts';

/** The keys of an index as `indexesSql` answers them. Lists of numbers are text, with spaces between. */
export interface CatalogKeys {
  keyCount: number;
  /** The numbers of its columns, 0 for an expression; those of INCLUDE come last. */
  attributes: string;
  /** Of each key the oid of its operator class, and that of its collation or 0. */
  classes: string;
  collations: string;
  /** Of each key 1 for descending, and 2 for nulls first. */
  orders: string;
  /** JSON: name and collation of each column, by its number. */
  columns: string | null;
  /** JSON: expressions, and parameters of operator classes, by the places of the keys, the first of which is 1. */
  expressions: string | null;
  parameters: string | null;
}

/** What `keyNamesSql` answers. */
export interface KeyName {
  kind: 'class' | 'collation';
  oid: number;
  name: string;
  equality: boolean;
}

/** The keys of an index, and the columns that INCLUDE stores beside them. Many indexes share one: not to be changed. */
export interface Keys {
  elements: Element[];
  included: string[];
}

/** Makes keys of what the catalog answers, and of the same answer the same keys. */
export class KeyMaker {
  readonly #names = { class: new Map<number, KeyName>(), collation: new Map<number, KeyName>() };
  readonly #made = new Map<string, Keys>();

  /** The oids whose names must be learned before the keys of these rows can be made. */
  unknownIn(rows: readonly CatalogKeys[]): { classes: number[]; collations: number[] } {
    const { class: classes, collation: collations } = this.#names;
    return {
      classes: numbersIn(rows.map((row) => row.classes)).filter((oid) => !classes.has(oid)),
      collations: numbersIn(rows.map((row) => row.collations)).filter((oid) => oid !== 0 && !collations.has(oid)),
    };
  }

  learn(names: readonly KeyName[]): void {
    for (const name of names) this.#names[name.kind].set(name.oid, name);
  }

  keysOf(row: CatalogKeys): Keys {
    const { keyCount, attributes, classes, collations, orders, columns, expressions, parameters } = row;
    const text = [keyCount, attributes, classes, collations, orders, columns, expressions, parameters].join('\0');
    const keys = this.#made.get(text) ?? this.#make(row);
    this.#made.set(text, keys);
    return keys;
  }

  #make(row: CatalogKeys): Keys {
    const columns: Record<string, [name: string, collation: number]> = JSON.parse(row.columns ?? '{}');
    const expressions: Record<string, string> = JSON.parse(row.expressions ?? '{}');
    const parameters: Record<string, string[]> = JSON.parse(row.parameters ?? '{}');
    const attributes = numbersOf(row.attributes);
    const classes = numbersOf(row.classes);
    const collations = numbersOf(row.collations);
    const orders = numbersOf(row.orders);
    const elements = attributes.slice(0, row.keyCount).map((attribute, at): Element => {
      const [column = null, columnCollation] = columns[attribute] ?? [];
      const collation = collations[at] ?? 0;
      const operatorClass = this.#names.class.get(classes[at] ?? 0);
      return {
        column,
        expression: expressions[at + 1] ?? null,
        // An operator class without a name has been dropped meanwhile, and the index with it.
        operatorClass: operatorClass?.name ?? '',
        parameters: parameters[at + 1] ?? [],
        collation: this.#names.collation.get(collation)?.name ?? null,
        descending: ((orders[at] ?? 0) & 1) === 1,
        nullsFirst: ((orders[at] ?? 0) & 2) === 2,
        equality: operatorClass?.equality === true && (attribute === 0 || columnCollation === collation),
      };
    });
    return { elements, included: attributes.slice(row.keyCount).flatMap((attribute) => columns[attribute]?.[0] ?? []) };
  }
}

/** Every number in some texts, once. */
function numbersIn(texts: readonly string[]): number[] {
  return [...new Set([...new Set(texts)].flatMap(numbersOf))];
}

function numbersOf(text: string): number[] {
  return text.split(' ').map(Number);
}
