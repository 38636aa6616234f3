import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { errorCodes, StreamGateError } from '../../../../lib/errors.ts';
import { databaseError } from '../../../../lib/postgres/errors.ts';

const where = 'u@db:5432/shop';
const failure = (code: string | undefined, message = 'geheim') =>
  Object.assign(new Error(message), code === undefined ? {} : { code });

describe('a failure of the database', () => {
  test.each([
    ['ECONNREFUSED', 'database-unreachable', /Nothing listens/],
    ['ENOTFOUND', 'database-unreachable', /has no address/],
    ['EAI_AGAIN', 'database-unreachable', /DNS/],
    ['ETIMEDOUT', 'database-unreachable', /security group/],
    ['EHOSTUNREACH', 'database-unreachable', /no route/],
    ['ENETUNREACH', 'database-unreachable', /no route/],
    ['EACCES', 'database-unreachable', /permissions/],
    ['ENOENT', 'database-unreachable', /no socket/],
    ['ECONNRESET', 'database-unreachable', /closed the connection/],
    ['EPIPE', 'database-unreachable', /closed the connection/],
    ['28P01', 'database-authentication', /password/],
    ['3D000', 'database-missing', /no such database/],
    ['53300', 'database-unreachable', /max_connections/],
    ['55P03', 'database-timeout', /locked/],
    ['57014', 'database-timeout', /statement timeout/],
    ['57P01', 'database-unreachable', /shut down/],
    ['57P02', 'database-unreachable', /crashed/],
    ['57P03', 'database-unreachable', /starting up/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', 'database-unreachable', /sslrootcert/],
    ['CERT_HAS_EXPIRED', 'database-unreachable', /CERT_HAS_EXPIRED/],
    ['ERR_TLS_CERT_ALTNAME_INVALID', 'database-unreachable', /not trusted/],
    ['42703', 'database-failed', /error 42703/],
  ])('%s is told as %s, with the place and no word of the original', (code, told, words) => {
    const error = databaseError(failure(code), where);
    expect(error).toBeInstanceOf(StreamGateError);
    expect(error.code).toBe(told);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(where);
    expect(error.message).not.toContain('geheim');
  });

  test.each([
    [
      '28000',
      'no pg_hba.conf entry for host "1.2.3.4", user "u", database "shop", no encryption',
      'database-authentication',
      /sslmode=require/,
    ],
    ['28000', 'role "u" is not permitted to log in', 'database-authentication', /role "u" is not permitted to log in/],
    [
      '42501',
      'permission denied for view pg_stat_statements',
      'database-permission',
      /permission denied for view.*GRANT pg_monitor/,
    ],
    [undefined, 'The server does not support SSL connections', 'database-unreachable', /Remove sslmode/],
    [undefined, 'timeout expired', 'database-timeout', /did not answer/],
    [undefined, 'Query read timeout', 'database-timeout', /did not answer/],
    [undefined, 'Connection terminated unexpectedly', 'database-unreachable', /closed the connection/],
    [undefined, 'Client has encountered a connection error and is not queryable', 'database-unreachable', /closed/],
    [
      undefined,
      'SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string',
      'database-authentication',
      /asks for a password/,
    ],
  ])('%s "%s" is understood by its words', (code, message, told, words) => {
    const error = databaseError(failure(code, message), where);
    expect(error.code).toBe(told);
    expect(error.message).toMatch(words);
  });

  test('keeps the original as its cause', () => {
    const cause = failure('ECONNREFUSED');
    expect(databaseError(cause, where).cause).toBe(cause);
  });

  test('that is understood already stays as it is', () => {
    const known = new StreamGateError('database-permission', 'Grant it.');
    expect(databaseError(known, where)).toBe(known);
  });

  test('of both IPv4 and IPv6 says what happened to the first', () => {
    const both = new AggregateError([failure('ECONNREFUSED'), failure('ENETUNREACH')], 'geheim');
    expect(databaseError(both, where).message).toMatch(/Nothing listens/);
    expect(databaseError(new AggregateError([both]), where).message).toMatch(/Nothing listens/);
    expect(databaseError(new AggregateError([], 'geheim'), where)).toMatchObject({ code: 'database-failed' });
  });

  test.each([['geheim'], [undefined], [null], [42], [{ message: 'geheim' }]])(
    'may be no error at all: %j',
    (thrown) => {
      const error = databaseError(thrown, where);
      expect(error.code).toBe('database-failed');
      expect(error.message).not.toContain('geheim');
    },
  );

  test('that nobody foresaw tells nothing of its text, which may quote data', () => {
    const states = fc.stringMatching(/^[0-9A-Z]{5}$/).filter((state) => state !== '28000' && state !== '42501');
    const data = fc.string().map((text) => `Zq${text}`);
    fc.assert(
      fc.property(fc.option(states, { nil: undefined }), data, (code, message) => {
        const error = databaseError(failure(code, message), where);
        expect(error.message).not.toContain('Zq');
        expect(errorCodes).toHaveProperty(error.code);
      }),
    );
  });

  test.each([
    ['42P01', 'relation "closed_orders" does not exist'],
    ['42601', 'unterminated quoted string'],
  ])('with the SQLSTATE %s is no broken connection, whatever its text says: %s', (code, message) => {
    expect(databaseError(failure(code, message), where).code).toBe('database-failed');
  });
});

describe('an error of ours', () => {
  test.each(Object.entries(errorCodes))('%s has the status and title of its code', (code, { status, title }) => {
    const error = new StreamGateError(code as keyof typeof errorCodes, 'x');
    expect([error.code, error.status, error.name, error.message]).toEqual([code, status, 'StreamGateError', 'x']);
    expect(title).not.toBe('');
  });
});
