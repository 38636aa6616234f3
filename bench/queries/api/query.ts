import type { NamedQuery } from '../tpch/queries.ts';

/** A statement as an application sends it: with its values written into it, or beside it as those of a prepared one. */
export interface ApiQuery extends NamedQuery {
  values?: readonly unknown[];
}
