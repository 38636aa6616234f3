/**
 * Every failure that StreamGate foresees, in one place: the code that programs match on, the HTTP
 * status, and a title. Each is described in docs/errors.md (a test compares the two).
 */
export const errorCodes = {
  'configuration-invalid': { status: 500, title: 'The configuration is invalid' },
  'database-url-invalid': { status: 500, title: 'The database URL is invalid' },
  'database-unreachable': { status: 503, title: 'The database cannot be reached' },
  'database-authentication': { status: 503, title: 'The database refused the login' },
  'database-missing': { status: 503, title: 'There is no such database' },
  'database-permission': { status: 503, title: 'The database role lacks a permission' },
  'database-unsupported': { status: 503, title: 'This database server is not supported' },
  'database-timeout': { status: 503, title: 'The database took too long to answer' },
  'database-failed': { status: 503, title: 'The database could not run a statement' },
  'snapshot-invalid': { status: 500, title: 'The snapshot file cannot be read' },
  'plan-invalid': { status: 400, title: 'The plan cannot be read' },
  'statement-refused': { status: 400, title: 'The statement cannot be explained' },
  'statement-unknown': { status: 404, title: 'No statement of that id is known' },
  'history-empty': { status: 503, title: 'No audit has finished yet' },
  'parameter-invalid': { status: 400, title: 'A query parameter is invalid' },
  'database-unknown': { status: 404, title: 'No database of that name is configured' },
  'token-missing': { status: 401, title: 'A bearer token is needed' },
  'token-unknown': { status: 401, title: 'The bearer token is not known' },
  'scope-missing': { status: 403, title: 'The token lacks the scope' },
  'path-unknown': { status: 404, title: 'There is nothing at this path' },
  'method-not-allowed': { status: 405, title: 'The path does not take this method' },
  'port-in-use': { status: 500, title: 'The port is in use' },
  'already-running': { status: 500, title: 'StreamGate already runs in this directory' },
  'collection-not-possible': { status: 409, title: 'This Node.js cannot be told to collect garbage' },
  'collection-running': { status: 409, title: 'A collection is under way' },
  'collection-too-soon': { status: 409, title: 'The last collection was too short a time ago' },
  'collection-too-little-time': { status: 409, title: 'The invocation has too little time left for a collection' },
  'cache-unreachable': { status: 503, title: 'The second level of the cache cannot be reached' },
  'origin-unreachable': { status: 502, title: 'The API behind the cache cannot be reached' },
  'service-failed': { status: 500, title: 'A local service could not be started' },
  internal: { status: 500, title: 'Something failed that should not have' },
} as const satisfies Record<string, { status: number; title: string }>;

/** A key of {@link errorCodes}. */
export type ErrorCode = keyof typeof errorCodes;

/**
 * A failure with a stable code and a message that names the input and the remedy. The message is
 * shown to people as it is, so it never holds a password, a token or a literal from a query.
 *
 * @example throw new StreamGateError('database-missing', 'There is no database "shop" on db:5432. Create it, or correct the URL.')
 */
export class StreamGateError extends Error {
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StreamGateError';
    this.code = code;
  }

  /** The HTTP status that an endpoint answers with. */
  get status(): number {
    return errorCodes[this.code].status;
  }
}
