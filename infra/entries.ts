/** What is built and deployed: the names of the functions, and what is known of each once it is built. */
import { audits, routes, type ScheduledAudit } from '../functions/routes.ts';

/** The authorizer's file under functions/, without its ending. */
export const authorizerEntry = 'authorizer';

/** The function that brings the history's schema up to date when the stack is deployed. */
export const migrateEntry = 'migrate';

/** The function that tells CloudFront what an audit made old. */
export const purgeEntry = 'purge';

/** The function that asks AWS what the levels of the cache look like from outside. */
export const factsEntry = 'facts';

/** An audit's file under functions/, without its ending. */
export function auditEntry({ part }: Pick<ScheduledAudit, 'part'>): string {
  return `audits/${part}`;
}

/** Every function that is built: a file under functions/, without its ending. */
export const entries: readonly string[] = [
  ...routes.map(({ entry }) => entry),
  ...audits.map(auditEntry),
  authorizerEntry,
  migrateEntry,
  purgeEntry,
  factsEntry,
];

const openapiEntry = 'openapi';

/** Whether somebody waits for a function at its first call, and it describes nothing: endpoints but the description of the API, and the authorizer. */
export function isWaitedFor(entry: string): boolean {
  return entry === authorizerEntry || (entry !== openapiEntry && routes.some((route) => route.entry === entry));
}

/** One built function. */
export interface Bundle {
  entry: string;
  /** What Lambda gets: the folder with `index.mjs`, its source map and the files that it reads. */
  directory: string;
  /** The size of `index.mjs` in bytes. */
  sizeBytes: number;
  /** The files whose code is in it, relative to the repository. */
  sources: string[];
}

/** The list of bundles beside them, for who has them but not their sources: an installed package. */
export const bundleList = 'bundles.json';
