/**
 * PostgreSQL's own syntax tree, as libpg-query gives it: every node is an object with one key, its kind, such as
 * `{ ColumnRef: { fields: […], location: 7 } }`. What is zero, false or empty is left out, a location of 0 too.
 * Kinds: https://github.com/postgres/postgres/blob/master/src/include/nodes/parsenodes.h
 */
import type { Node } from 'libpg-query';

type KeyOf<Each> = Each extends object ? keyof Each : never;

/** The kind of a node, such as `ColumnRef`. */
export type Kind = KeyOf<Node>;

/** What a node of a kind holds. */
export type Content<K extends Kind> = Extract<Node, Record<K, unknown>>[K];

/** The content of a node if it is of that kind. */
export function as<K extends Kind>(kind: K, node: Node | undefined): Content<K> | undefined {
  return node && kind in node ? (node as unknown as Record<K, Content<K>>)[kind] : undefined;
}

/** The kind of a node; empty for the empty node that the parser puts where nothing is. */
export function kindOf(node: Node): string {
  return Object.keys(node)[0] ?? '';
}

/** The texts of a list of names, such as `["pg_catalog", "lower"]`. */
export function names(nodes: readonly Node[] | undefined): string[] {
  return (nodes ?? []).flatMap((node) => as('String', node)?.sval ?? []);
}

/** The last of a list of names: that of a function or an operator without its schema. */
export function lastName(nodes: readonly Node[] | undefined): string {
  return names(nodes).at(-1) ?? '';
}

/**
 * Every node of a tree, parents before their children and those in the order of the text where the tree has it.
 * What `into` says no to is told, but not what is below it. A list, not a recursion.
 */
export function* nodesIn(tree: object | undefined, into: (node: Node) => boolean = () => true): Generator<Node> {
  const left: unknown[] = [tree];
  while (left.length > 0) {
    const at = left.pop();
    if (typeof at !== 'object' || at === null) continue;
    if (isNode(at)) {
      yield at;
      if (!into(at)) continue;
    }
    for (const child of Object.values(at).reverse()) left.push(child);
  }
}

/** Only kinds begin with a capital letter; fields do not. */
function isNode(candidate: object): candidate is Node {
  const [key, ...others] = Object.keys(candidate);
  return key !== undefined && others.length === 0 && key >= 'A' && key < 'a';
}

/** Whether a tree has more than so many levels, objects and lists counted alike. */
export function isDeeperThan(tree: object, levels: number): boolean {
  let level: object[] = [tree];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > levels) return true;
    level = level.flatMap((each) => Object.values(each).filter((value) => typeof value === 'object' && value !== null));
  }
  return false;
}
