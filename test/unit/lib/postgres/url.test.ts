import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { checkDatabaseUrl, clientConfig, databaseName, describeUrl } from '../../../../lib/postgres/url.ts';

/** A password that is found wherever it turns up: it begins with a word that nothing else holds. */
const passwords = fc.string({ unit: 'binary' }).map((rest) => `Zq${rest.toWellFormed()}`);

function messageOf(work: () => unknown): string {
  try {
    work();
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('where a URL points', () => {
  test.each([
    ['postgres://u:p@db:5433/shop', 'u@db:5433/shop'],
    ['postgresql://u@db/shop', 'u@db:5432/shop'],
    ['postgres://db/shop', 'db:5432/shop'],
    ['postgres://u:p@[::1]:5433/shop', 'u@[::1]:5433/shop'],
    ['postgres://u%40corp:p@db/my%20shop', 'u@corp@db:5432/my shop'],
    ['postgres:///shop?host=/run/postgresql&user=me', 'me@/run/postgresql:5432/shop'],
    ['postgres://db/shop?user=me&password=geheim&port=6000', 'me@db:6000/shop'],
    ['not a url', 'the database'],
    ['postgres://u:geheim@db/100%', 'u@db:5432/100%'],
  ])('%s is described as %s', (url, described) => {
    expect(describeUrl(url)).toBe(described);
  });

  test('never holds the password, whatever it is', () => {
    fc.assert(
      fc.property(passwords, (password) => {
        const encoded = encodeURIComponent(password);
        expect(describeUrl(`postgres://u:${encoded}@db/shop`)).toBe('u@db:5432/shop');
        expect(describeUrl(`postgres://db/shop?user=u&password=${encoded}`)).toBe('u@db:5432/shop');
        expect(describeUrl(`postgres://u:${password}@db/shop`)).not.toContain('Zq');
        expect(describeUrl(`postgres://u:${password}@db/shop?sslmode=require`)).not.toContain('Zq');
      }),
    );
  });

  test('never holds a password that reads as a port and a path', () => {
    const url = 'postgres://u:12/geheim@db/shop';
    expect(messageOf(() => checkDatabaseUrl(url)) || describeUrl(url)).not.toContain('geheim');
  });
});

describe('checking a URL', () => {
  test.each([
    'postgres://u:p@db/shop',
    'postgresql://db',
    'POSTGRES://db/shop',
    'postgres:///shop?host=/run/postgresql',
    'postgres://u:p@/shop?host=/run/postgresql',
    'postgres://u:p@/shop',
    'postgres://u:p%2F%40@db/shop?sslmode=verify-full',
  ])('lets %s pass unchanged', (url) => {
    expect(checkDatabaseUrl(url)).toBe(url);
  });

  test.each([
    ['shop', /^The database URL is not a URL\./],
    ['', /is not a URL/],
    ['postgres://db:port/shop', /is not a URL/],
    ['mysql://u:geheim@db/shop', /starts with "mysql:\/\/"/],
    ['file:///etc/passwd', /starts with "file:\/\/"/],
  ])('refuses %j and says how to write one', (url, message) => {
    expect(() => checkDatabaseUrl(url)).toThrow(expect.objectContaining({ code: 'database-url-invalid' }));
    expect(() => checkDatabaseUrl(url)).toThrow(message);
    expect(() => checkDatabaseUrl(url)).toThrow(/postgres:\/\/USER:PASSWORD@HOST:5432\/DATABASE/);
  });

  test('names the variable', () => {
    expect(() => checkDatabaseUrl('x', 'DATABASE_URL')).toThrow(/^DATABASE_URL is not a URL/);
  });

  test('never repeats the password, whatever it is and however wrong the rest', () => {
    const wrapped = fc.constantFrom<(password: string) => string>(
      (p) => `postgres://u:${p}@db:port/shop`,
      (p) => `postgres://u:${p}@db/shop`,
      (p) => `mysql://u:${p}@db/shop`,
      (p) => `u:${p}@db/shop`,
      (p) => `//u:${p}@db/shop`,
      (p) => `host=db user=u password=${p}`,
      (p) => `postgres://u:${p}@`,
      (p) => ` ${p}`,
    );
    fc.assert(
      fc.property(passwords, wrapped, (password, wrap) => {
        expect(messageOf(() => checkDatabaseUrl(wrap(password)))).not.toContain('Zq');
      }),
    );
  });

  test('keeps no password in what a log shows of the error', async () => {
    const { inspect } = await import('node:util');
    let shown = '';
    try {
      checkDatabaseUrl('postgres://u:geheim@db:port/shop');
    } catch (error) {
      shown = inspect(error);
    }
    expect(shown).not.toContain('geheim');
  });
});

describe('what pg is told', () => {
  test('is what the URL says', () => {
    const url = 'postgres://u:p%40ss@db:5433/my%20shop';
    expect(clientConfig(url)).toMatchObject({
      user: 'u',
      password: 'p@ss',
      host: 'db',
      port: 5433,
      database: 'my shop',
    });
  });

  test('takes the words of sslmode as psql does', () => {
    const ssl = (query: string) => clientConfig(`postgres://u:p@db/shop?${query}`).ssl;
    expect(ssl('sslmode=disable')).toBe(false);
    expect(ssl('sslmode=require')).toMatchObject({ rejectUnauthorized: false });
    expect(ssl('sslmode=verify-full')).toEqual({});
  });

  test.each([
    'uselibpqcompat=false&sslmode=require',
    'sslmode=require&uselibpqcompat=false',
    'sslmode=require&uselibpqcompat=true',
  ])('means the same whoever chose otherwise: %s', (query) => {
    expect(clientConfig(`postgres://u:p@db/shop?${query}`)).toEqual(
      clientConfig('postgres://u:p@db/shop?sslmode=require'),
    );
  });
});

test.each([
  ['postgres://u@db/shop', 'shop'],
  ['postgres://u@db/my%20shop', 'my shop'],
  ['postgres://u@db/', 'u'],
  ['postgres://u@db', 'u'],
  ['postgres://db', 'postgres'],
])('the database of %s is called %s', (url, name) => {
  expect(databaseName(url)).toBe(name);
});
