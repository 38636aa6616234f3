import { describe, expect, it } from 'vitest';
import { StreamGateError } from '../../../../../lib/errors.ts';
import { nextSettings } from '../../../../../lib/queries/explain/settings.ts';

const refusal = (code: string, message: string, position?: string) =>
  new StreamGateError('database-failed', 'It failed.', {
    cause: Object.assign(new Error(message), { code, position }),
  });

const missing = refusal('42704', 'unrecognized configuration parameter "app.tenant"');

describe('nextSettings', () => {
  it('makes up the setting that is missing, in whatever language PostgreSQL says so', () => {
    expect(nextSettings({}, [], missing)).toEqual({ 'app.tenant': '10001' });
    expect(nextSettings({}, [], refusal('42704', 'unbekannter Konfigurationsparameter »my_app.x$1«'))).toEqual({
      'my_app.x$1': '10001',
    });
  });

  it('makes up all that are known with it, each with a value of its own', () => {
    expect(nextSettings({}, ['a.b', 'app.tenant'], missing)).toEqual({ 'a.b': '10001', 'app.tenant': '10002' });
    expect(nextSettings({}, ['a.b'], refusal('22P02', 'invalid input syntax for type integer: ""'))).toEqual({
      'a.b': '10001',
    });
  });

  it('gives another kind of value to the one that does not fit, until there is none', () => {
    const unfit = (value: string) => refusal('22P02', `invalid input syntax for type x: "${value}"`);
    let settings: Readonly<Record<string, string>> | undefined = { 'a.b': '10001', 'c.d': '10002' };
    const tried: string[] = [];
    for (; settings; settings = nextSettings(settings, [], unfit(settings['c.d'] ?? ''))) {
      expect(settings['a.b']).toBe('10001');
      tried.push(settings['c.d'] ?? '');
    }
    expect(tried).toEqual([
      '10002',
      '00000000-0000-0000-0000-000000000002',
      '2000-01-01 00:00:00.000002',
      'true',
      '{}',
    ]);
  });

  it.each([
    ['another error', refusal('42P01', 'relation "app.tenant" does not exist')],
    ['what points at the text', refusal('42704', 'type "app.tenant" does not exist', '8')],
    ['what has no name with a dot', refusal('42704', 'user mapping not found for user "x"')],
    ['a value of the data', refusal('22P02', 'invalid input syntax for type integer: "x"')],
    ['no error of the database', new Error('x')],
  ])('has nothing to try for %s', (_, error) => {
    expect(nextSettings({}, [], error)).toBeUndefined();
  });

  it('does not try the same twice', () => {
    expect(nextSettings({ 'app.tenant': '10001' }, ['app.tenant'], missing)).toBeUndefined();
  });
});
