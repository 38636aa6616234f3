import type pg from 'pg';
import { parse, toClientConfig } from 'pg-connection-string';
import { rdsPassword } from '../aws/login.ts';
import { StreamGateError } from '../errors.ts';

/**
 * Checks a PostgreSQL connection URL before anything is sent anywhere.
 *
 * @throws StreamGateError `database-url-invalid`; neither its message nor its cause repeats the URL, which holds a password
 */
export function checkDatabaseUrl(url: string, name = 'The database URL'): string {
  const refuse = (what: string) =>
    new StreamGateError(
      'database-url-invalid',
      `${name} ${what}. Write it as postgres://USER:PASSWORD@HOST:5432/DATABASE.`,
    );
  const protocol = /^([a-z][a-z0-9+.-]*:)\/\//i.exec(url)?.[1]?.toLowerCase();
  if (protocol === undefined) throw refuse('is not a URL');
  if (protocol !== 'postgres:' && protocol !== 'postgresql:') {
    throw refuse(`starts with "${protocol}//", not with "postgres://"`);
  }
  try {
    readTarget(url);
  } catch {
    throw refuse('is not a URL');
  }
  // A slash in a password ends the host too early, and the rest would be shown as the database.
  if (pathOf(url).includes('@')) throw refuse('has an @ behind the host: write / as %2F and @ as %40');
  return url;
}

/**
 * What `pg` needs of a URL. The words of `sslmode` mean what they mean to libpq and psql: `require`
 * encrypts, `verify-full` checks the certificate too. https://www.postgresql.org/docs/current/libpq-ssl.html
 *
 * @throws StreamGateError `database-url-invalid` when a certificate file cannot be read
 */
export function clientConfig(url: string): pg.ClientConfig {
  const withoutChoice = url.replace(/([?&])uselibpqcompat=[^&]*&?/, '$1');
  try {
    const target = readTarget(url);
    const { database } = target;
    return {
      ...toClientConfig(parse(withoutChoice, { useLibpqCompat: true })),
      ...(database ? { database } : {}),
      ...roleLogin(target),
    };
  } catch (error) {
    const { code, path } = error as NodeJS.ErrnoException;
    const what = path
      ? `names the file ${path}, which cannot be read (${code})`
      : 'has TLS parameters that do not go together';
    throw new StreamGateError('database-url-invalid', `The database URL ${what}. Correct its ssl… parameters.`);
  }
}

/** A user of RDS without a password logs in as the role of this process: with a new password for every connection. */
function roleLogin({ user, host, port, hasPassword }: Target): Pick<pg.ClientConfig, 'password'> {
  const login = { user, host, port: Number(port) };
  if (!user || hasPassword || rdsPassword(login) === undefined) return {};
  return { password: () => rdsPassword(login) ?? '' };
}

/** Where a URL points, fit for people and logs: `user@host:port/database`, never the password. */
export function describeUrl(url: string): string {
  try {
    const { user, host, port, database } = readTarget(url);
    return `${user ? `${user}@` : ''}${host.includes(':') ? `[${host}]` : host}:${port}/${database}`;
  } catch {
    return 'the database';
  }
}

/** The name of the database in a URL, by PostgreSQL's rule: the user's name when none is given. */
export function databaseName(url: string): string {
  const { database, user } = readTarget(url);
  return database || user || 'postgres';
}

interface Target {
  user: string;
  host: string;
  port: string;
  database: string;
  hasPassword: boolean;
}

/** The parts of a URL that are no secret. TLS parameters are left out: to parse them is to read their files. */
function readTarget(url: string): Target {
  if (!url.includes('://')) throw new Error('Not a URL.');
  const [address = '', query = ''] = url.split('?');
  const words = new URLSearchParams(query);
  const kept = ['host', 'port', 'user'].flatMap((name) => {
    const value = words.get(name);
    return value === null ? [] : [`${name}=${encodeURIComponent(value)}`];
  });
  const { user, host, port, password } = parse(`${address}?${kept.join('&')}`);
  return {
    user: user ?? '',
    host: host || 'localhost',
    port: port || '5432',
    database: decode(pathOf(url)),
    hasPassword: Boolean(password || words.get('password')),
  };
}

/** What stands behind the host, as it is written. */
function pathOf(url: string): string {
  return /^[^:]+:\/\/[^/?#]*\/([^?#]*)/.exec(url)?.[1] ?? '';
}

/** A name may hold any character, percent-encoded; a percent sign that encodes nothing stands for itself. */
function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
