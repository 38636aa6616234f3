/** The search path under which a statement finds its tables: pg_stat_statements does not keep the one that it ran with. */
import type { Node, RangeVar } from 'libpg-query';
import { escapeIdentifier } from 'pg';
import type { Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { as, nodesIn } from '../syntax/node.ts';
import { settingNamesSql } from './settings.ts';
import { parseOne } from './source.ts';

/** A relation of a name. */
export interface Located {
  schema: string;
  name: string;
  kind: 'table' | 'view';
  /** The planner's estimate, 0 where there is none. */
  rows: number;
  /** Whether the role may look into the schema. */
  usable: boolean;
}

/** What is known of names: where relations are, in which order applications look into schemas, and what they set. */
export interface Schemas {
  located: ReadonlyMap<string, readonly Located[]>;
  /** The search paths that are set, the most particular first. */
  configured: readonly (readonly string[])[];
  /** Those of extensions: their functions and operators are used without a schema. */
  extensions: readonly string[];
  /** Settings of the application's own that policies, functions and views ask for. */
  settings: readonly string[];
}

/** The settings of this database's roles, of the database, of roles everywhere, and what is left without any. */
const settingsSql = `
select distinct on (rank, setting) setting
from (
  select case when s.setdatabase = 0 then 3 when s.setrole = 0 then 2 else 1 end as rank, substr(c.line, length('search_path=') + 1) as setting
  from pg_db_role_setting s cross join unnest(s.setconfig) as c(line)
  where c.line like 'search\\_path=%' and (s.setdatabase = 0 or s.setdatabase = (select oid from pg_database where datname = current_database()))
  union all
  select 4, reset_val from pg_settings where name = 'search_path'
) settings
order by rank, setting`;

const locationsSql = `
select n.nspname as schema, c.relname as name, case c.relkind when 'v' then 'view' else 'table' end as kind,
  greatest(c.reltuples, 0) as rows, has_schema_privilege(n.oid, 'usage') as usable
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relname = any($1) and c.relkind in ('r', 'p', 'v', 'm', 'f', 'S')`;

/** Without any setting: PostgreSQL's default. */
const defaultPath = ['public'];

/** Reads where relations of these names are. */
export async function readSchemas(session: Session, server: Server, names: Iterable<string>): Promise<Schemas> {
  const settings = await session.read<{ setting: string }>(settingsSql);
  const rows = await session.read<Located>(locationsSql, [[...new Set(names)]]);
  const asked = await session.read<{ name: string }>(settingNamesSql);
  return {
    located: Map.groupBy(rows, ({ name }) => name),
    configured: [...settings.map(({ setting }) => readPath(setting)), defaultPath],
    extensions: [...new Set(Object.values(server.extensions).map(({ schema }) => schema))],
    settings: asked.map(({ name }) => name),
  };
}

/** The schemas of a setting, without `$user`: the schema of the role's name is found by its tables. */
export function readPath(setting: string): string[] {
  const { args = [] } = as('VariableSetStmt', parseOne(`set search_path = ${setting}`)) ?? {};
  return args.flatMap((arg) => as('A_Const', arg)?.sval?.sval ?? []).filter((schema) => schema !== '$user');
}

/** The relations that a statement names, without the queries of its WITH. */
export function relationsOf(statement: Node): RangeVar[] {
  // FOR UPDATE OF names what FROM names.
  const nodes = [...nodesIn(statement, (node) => !as('LockingClause', node))];
  const defined = new Set(nodes.map((node) => as('CommonTableExpr', node)?.ctename));
  const fields = nodes.map((node) => Object.values(node)[0] as { relation?: RangeVar });
  // What a statement changes is no node of its own.
  const changed = fields.flatMap(({ relation }) => (relation?.relname ? [relation] : []));
  const read = nodes.flatMap((node) => as('RangeVar', node) ?? []);
  const isTable = ({ relname, schemaname }: RangeVar) => schemaname !== undefined || !defined.has(relname);
  return [...changed, ...read.filter(isTable)];
}

/** The search paths to try, likely ones first, or why there is none. */
export type Paths = { paths: string[][] } | { failure: 'missing-relation' | 'temporary-table' | 'permission' };

/** So many are tried. */
const maxPaths = 4;

/** Finds the search paths under which all of the relations without a schema are found. */
export function pathsFor(relations: readonly RangeVar[], { located, configured, extensions }: Schemas): Paths {
  const names = new Set(
    relations.flatMap(({ relname = '', schemaname }) => (schemaname === undefined ? [relname] : [])),
  );
  const places = [...names].map((name) => located.get(name) ?? []);
  if (places.some((place) => place.length === 0)) return { failure: 'missing-relation' };
  const lasting = places.map((place) => place.filter(({ schema }) => !/^pg_(?:toast_)?temp_/.test(schema)));
  if (lasting.some((place) => place.length === 0)) return { failure: 'temporary-table' };
  const usable = lasting.map((place) => place.filter((each) => each.usable));
  if (usable.some((place) => place.length === 0)) return { failure: 'permission' };
  const isFound = (path: readonly string[]) =>
    usable.every((place) => place.some(({ schema }) => schema === 'pg_catalog' || path.includes(schema)));
  const found = configured.filter(isFound);
  const [first = defaultPath] = configured;
  const schemas = bySize(usable.flat());
  const completed = [[...first], ...schemas.map((schema) => [schema, ...first])].map((path) => complete(path, usable));
  const all = [...found, ...completed].map((path) => [...new Set([...path, ...extensions, ...defaultPath])]);
  const different = new Map(all.map((path) => [path.join('\0'), path]));
  return { paths: [...different.values()].slice(0, maxPaths) };
}

/** Adds the schemas that relations are missing from, the one that has most of them first. */
function complete(path: readonly string[], places: readonly (readonly Located[])[]): string[] {
  const completed = [...path];
  for (;;) {
    const missing = places.filter(
      (place) => !place.some(({ schema }) => schema === 'pg_catalog' || completed.includes(schema)),
    );
    const [best] = bySize(missing.flat());
    if (best === undefined) return completed;
    completed.push(best);
  }
}

/** Schemas by how many of the relations they have, then by how many rows, for what takes most time is the larger one. */
function bySize(relations: readonly Located[]): string[] {
  const schemas = Map.groupBy(relations, ({ schema }) => schema);
  const rows = (schema: string) => (schemas.get(schema) ?? []).reduce((sum, relation) => sum + relation.rows, 0);
  const count = (schema: string) => schemas.get(schema)?.length ?? 0;
  return [...schemas.keys()].sort((a, b) => count(b) - count(a) || rows(b) - rows(a) || (a < b ? -1 : 1));
}

/** The schema that a relation is found in, under a search path. */
export function schemaOf(relation: RangeVar, path: readonly string[], schemas: Schemas): string | undefined {
  return locate(relation, path, schemas)?.schema;
}

/** Whether a relation is a view, under a search path. */
export function isView(relation: RangeVar, path: readonly string[], schemas: Schemas): boolean {
  return locate(relation, path, schemas)?.kind === 'view';
}

function locate(
  { relname = '', schemaname }: RangeVar,
  path: readonly string[],
  { located }: Schemas,
): Located | undefined {
  const places = located.get(relname) ?? [];
  const order = schemaname === undefined ? path : [schemaname];
  const found = order.flatMap((schema) => places.find((place) => place.schema === schema) ?? []);
  return found[0];
}

/** A search path as a value of the setting. Temporary tables are never looked for first. */
export function searchPathOf(path: readonly string[]): string {
  return [...path, 'pg_temp'].map(escapeIdentifier).join(', ');
}
