import { type ErrorCode, StreamGateError } from '../errors.ts';

/**
 * What PostgreSQL, the network and TLS say when something is wrong, in words that name the remedy.
 * SQLSTATE codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
 *
 * PostgreSQL's own text is passed on only where it cannot quote a value of the database: names of
 * relations, roles and functions, yes; data, never.
 */
const explanations: Record<string, [ErrorCode, (where: string, message: string) => string]> = {
  ECONNREFUSED: [
    'database-unreachable',
    (at) => `Nothing listens at ${at}. Check the host and port, and that PostgreSQL runs.`,
  ],
  ENOTFOUND: ['database-unreachable', (at) => `The host of ${at} has no address. Check the spelling and the DNS.`],
  EAI_AGAIN: ['database-unreachable', (at) => `The host of ${at} could not be looked up. Check the DNS and try again.`],
  ETIMEDOUT: [
    'database-unreachable',
    (at) => `${at} did not answer in time. Check the network, the security group and the port.`,
  ],
  EHOSTUNREACH: ['database-unreachable', (at) => `There is no route to ${at}. Check the network.`],
  ENETUNREACH: ['database-unreachable', (at) => `There is no route to ${at}. Check the network.`],
  EACCES: ['database-unreachable', (at) => `The socket of ${at} may not be opened. Check its permissions.`],
  ENOENT: [
    'database-unreachable',
    (at) => `There is no socket at ${at}. Check the directory, and that PostgreSQL runs.`,
  ],
  ECONNRESET: [
    'database-unreachable',
    (at) => `${at} closed the connection. Check that it is PostgreSQL and still runs, then try again.`,
  ],
  EPIPE: ['database-unreachable', (at) => `${at} closed the connection. Check that it still runs, then try again.`],
  '28P01': ['database-authentication', (at) => `The password for ${at} is wrong. Correct it in the URL.`],
  '28000': [
    'database-authentication',
    (at, said) =>
      /no encryption/.test(said)
        ? `${at} takes encrypted connections only. Add ?sslmode=require to the URL.`
        : `The login to ${at} was refused: ${said}. Check the user and pg_hba.conf.`,
  ],
  '3D000': ['database-missing', (at) => `There is no such database at ${at}. Correct the name at the end of the URL.`],
  '42501': [
    'database-permission',
    (at, said) =>
      `The role lacks a permission at ${at}: ${said}. ${/for database/.test(said) ? 'GRANT CONNECT ON DATABASE to it' : 'GRANT pg_monitor to it'}.`,
  ],
  '53300': ['database-unreachable', (at) => `${at} has no free connection (max_connections). Try again later.`],
  '55P03': [
    'database-timeout',
    (at) => `A table at ${at} is locked by somebody else, and StreamGate does not wait. Try again later.`,
  ],
  '57014': [
    'database-timeout',
    (at) => `${at} took longer than the statement timeout. Try again when it is less busy.`,
  ],
  '57P01': ['database-unreachable', (at) => `${at} was shut down. Try again when it runs.`],
  '57P02': ['database-unreachable', (at) => `${at} crashed. Try again when it runs.`],
  '57P03': ['database-unreachable', (at) => `${at} is starting up or shutting down. Try again in a moment.`],
};

const tlsCodes = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'ERR_TLS_CERT_ALTNAME_INVALID',
  'CERT_HAS_EXPIRED',
]);

/** Turns any failure of a connection or a statement into one with a code and a remedy. `where`: see `describeUrl`. */
export function databaseError(error: unknown, where: string): StreamGateError {
  if (error instanceof StreamGateError) return error;
  const cause = innermost(error);
  const explained = Object.hasOwn(explanations, cause.code ?? '') ? explanations[cause.code ?? ''] : undefined;
  if (explained) return new StreamGateError(explained[0], explained[1](where, cause.message), { cause: error });
  if (cause.code !== undefined && tlsCodes.has(cause.code)) {
    return new StreamGateError(
      'database-unreachable',
      `The certificate of ${where} is not trusted (${cause.code}). Add ?sslrootcert=FILE with the server's CA to the URL.`,
      { cause: error },
    );
  }
  const spoken = isSqlState(cause.code) ? undefined : explainWords(cause.message);
  if (spoken) return new StreamGateError(spoken[0], spoken[1](where), { cause: error });
  // An unforeseen statement error may quote data, so only its SQLSTATE is told.
  const reason = cause.code ? `error ${cause.code}` : cause.name;
  return new StreamGateError('database-failed', `${where} could not run a statement (${reason}).`, { cause: error });
}

/** The SQLSTATE behind a failure of the database, where PostgreSQL gave one. */
export function sqlState(error: unknown): string | undefined {
  const code = ((error as Error | undefined)?.cause as { code?: string } | undefined)?.code;
  return isSqlState(code) ? code : undefined;
}

/** SQLSTATE codes are five capital letters or digits; so are a few of Node.js, such as EPIPE, which are explained above. */
function isSqlState(code: string | undefined): boolean {
  return /^[0-9A-Z]{5}$/.test(code ?? '');
}

/** What `pg` itself says has no code: it is told by its words. */
function explainWords(message: string): [ErrorCode, (where: string) => string] | undefined {
  if (/does not support SSL/.test(message)) {
    return ['database-unreachable', (at) => `${at} does not speak TLS. Remove sslmode from the URL.`];
  }
  if (/timeout expired|Query read timeout|timeout exceeded/.test(message)) {
    return [
      'database-timeout',
      (at) =>
        `${at} did not answer in time. Check the network, its load, and that nobody holds a lock on a system catalog.`,
    ];
  }
  if (/terminated|Connection ended|not queryable|closed/i.test(message)) {
    return ['database-unreachable', (at) => `${at} closed the connection. Check that it still runs, then try again.`];
  }
  if (/password must be a string|no password/i.test(message)) {
    return ['database-authentication', (at) => `${at} asks for a password and the URL has none. Add it to the URL.`];
  }
  return undefined;
}

/** Node.js wraps the attempts for IPv4 and IPv6 in an AggregateError; the first says what happened. */
function innermost(error: unknown): Error & { code?: string } {
  if (error instanceof AggregateError && error.errors.length > 0) return innermost(error.errors[0]);
  return error instanceof Error ? error : new Error(String(error));
}
