import fc from 'fast-check';
import { expect, test } from 'vitest';
import { urlOf } from '../../../functions/login.ts';
import { clientConfig } from '../../../lib/postgres/url.ts';

const full = { username: 'reader', password: 'p@ss/w:rd', host: 'db.example', port: '5433', dbname: 'shop' };

test('all comes from the secret where nothing else is said', () => {
  expect(clientConfig(urlOf(full))).toMatchObject({
    user: 'reader',
    password: 'p@ss/w:rd',
    host: 'db.example',
    port: 5433,
    database: 'shop',
  });
});

test('what the URL says goes before what the secret says, and its parameters stay', () => {
  expect(urlOf(full, 'postgres://other:6000/history?sslmode=verify-full')).toBe(
    'postgres://reader:p%40ss%2Fw%3Ard@other:6000/history?sslmode=verify-full',
  );
  expect(urlOf(full, 'postgres:///history?sslmode=require')).toBe(
    'postgres://reader:p%40ss%2Fw%3Ard@db.example:5433/history?sslmode=require',
  );
});

test('a secret of a master user says only who logs in', () => {
  expect(urlOf({ username: 'u', password: 'p' }, 'postgres://host/shop')).toBe('postgres://u:p@host/shop');
});

test('any user, password and name come out as they went in', () => {
  const word = fc.string({ minLength: 1, unit: 'grapheme-ascii' });
  fc.assert(
    fc.property(word, word, word, (username, password, dbname) => {
      const config = clientConfig(urlOf({ ...full, username, password, dbname }));
      expect([config.user, config.password, config.database]).toEqual([username, password, dbname]);
    }),
  );
});
