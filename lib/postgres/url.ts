import type pg from 'pg';
import { parse, toClientConfig } from 'pg-connection-string';
import { StreamGateError } from '../errors.ts';

/**
 * Checks a PostgreSQL connection URL before anything is sent anywhere.
 *
 * @throws StreamGateError `database-url-invalid`; the message never repeats the URL, which holds a password.
 */
export function checkDatabaseUrl(url: string, name = 'The database URL'): string {
  const refuse = (what: string, cause?: unknown) =>
    new StreamGateError(
      'database-url-invalid',
      `${name} ${what}. Write it as postgres://USER:PASSWORD@HOST:5432/DATABASE.`,
      { cause },
    );
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch (cause) {
    // A socket directory as the host, as libpq allows, has an empty host that URL refuses beside a user.
    if (/^postgres(ql)?:\/\/[^/]*@\/.*[?&]host=/.test(url)) return url;
    throw refuse('is not a URL', cause);
  }
  if (parsed.protocol !== 'postgres:' && parsed.protocol !== 'postgresql:') {
    throw refuse(`starts with "${parsed.protocol}//", not with "postgres://"`);
  }
  return url;
}

/**
 * What `pg` needs of a URL. The words of `sslmode` mean what they mean to libpq and psql: `require`
 * encrypts, `verify-full` checks the certificate too. https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export function clientConfig(url: string): pg.ClientConfig {
  const withoutChoice = url.replace(/([?&])uselibpqcompat=[^&]*&?/, '$1');
  return toClientConfig(parse(withoutChoice, { useLibpqCompat: true }));
}

/** Where a URL points, fit for people and logs: `user@host:port/database`, never the password. */
export function describeUrl(url: string): string {
  try {
    const { username, hostname, port, pathname, searchParams } = new URL(url);
    const user = searchParams.get('user') ?? decodeURIComponent(username);
    const host = searchParams.get('host') ?? hostname;
    return `${user ? `${user}@` : ''}${host || 'localhost'}:${searchParams.get('port') ?? (port || 5432)}${decodeURIComponent(pathname)}`;
  } catch {
    return 'the database';
  }
}

/** The name of the database in a URL, which is PostgreSQL's default for the name that StreamGate shows. */
export function databaseName(url: string): string {
  const { pathname, username } = new URL(url);
  return decodeURIComponent(pathname.slice(1)) || decodeURIComponent(username) || 'postgres';
}
