/** The ways to learn what a statement would cost: HypoPG, a copy of the database, or an estimate that asks nobody. */
import pg from 'pg';
import type { Server } from '../../postgres/server.ts';
import type { Session } from '../../postgres/session.ts';
import { plainTypes } from '../../postgres/session.ts';
import { clientConfig } from '../../postgres/url.ts';
import type { Pricing } from './advise-database.ts';
import { estimateSource } from './estimate.ts';
import { canHide, hypopgSource } from './hypopg.ts';
import { type RealSource, realSource } from './real.ts';

/** Prices by HypoPG; null where the database does not have it. */
export function hypopgPricing(session: Session, server: Server): Pricing | null {
  const extension = server.extensions.hypopg;
  if (!extension) return null;
  const { schema } = extension;
  return {
    method: 'hypopg',
    sourceFor: (planner, { isOver }) => hypopgSource(session, schema, planner, { isOver }),
    without: async (planner, dropped, isOver) =>
      (await canHide(session, schema))
        ? hypopgSource(session, schema, planner, { hidden: dropped.map(({ oid }) => oid), isOver })
        : null,
  };
}

/** Prices by an estimate. PostgreSQL is asked for no plan but those of the statements as they are. */
export function estimatePricing(): Pricing {
  return {
    method: 'estimate',
    sourceFor: (_, known) => estimateSource(known),
  };
}

/** Prices by indexes that are really built, and taken back at the end. */
export interface CopyPricing extends Pricing {
  /** Rolls everything back, and closes the connection. */
  close(): Promise<void>;
}

/**
 * Prices on a COPY of the database, which nobody else uses: see real.ts.
 *
 * @param options says that it is a copy
 * @throws StreamGateError as `realSource`, later
 */
export async function copyPricing(
  url: string,
  where: string,
  options: { databaseIsACopy: true },
): Promise<CopyPricing> {
  const client = new pg.Client({ ...clientConfig(url), application_name: 'streamgate', types: plainTypes });
  client.on('error', () => {});
  await client.connect();
  let source: Promise<RealSource> | undefined;
  return {
    method: 'copy',
    sourceFor: ({ plan }) => {
      source = realSource(client, { ...options, where, plan });
      return { costs: async (queryId, sets) => (await (source as Promise<RealSource>)).costs(queryId, sets) };
    },
    without: async (_, dropped) => {
      const names = dropped.map(({ schema, index }) => `${pg.escapeIdentifier(schema)}.${pg.escapeIdentifier(index)}`);
      return (await source)?.without(names) ?? null;
    },
    async close() {
      try {
        await (await source)?.close();
      } finally {
        await client.end();
      }
    },
  };
}
