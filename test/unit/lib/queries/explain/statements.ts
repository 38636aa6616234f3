/** Statements for properties. */
import fc from 'fast-check';
import { queries as api } from '../../../../../bench/queries/api/queries.ts';
import { queries as tpch } from '../../../../../bench/queries/tpch/queries.ts';
import { groups } from '../../../../integration/lib/queries/explain/odd-statements.ts';

/** All that are run against a server, by the text with which they are sent. */
export const texts: readonly string[] = [
  ...[...api, ...tpch].map(({ sql }) => sql),
  ...Object.values(groups)
    .flat()
    .map((each) => (typeof each === 'string' ? each : each.sql)),
];

/** One of {@link texts}. */
export const statements = fc.constantFrom(...texts);
