import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { chooseDatabase, readDatabases, readLocalSettings, readSettings } from '../../../lib/settings.ts';

const shop = 'postgres://u:geheim@db/shop';
const kept = 'postgres://u:geheim@db/history';
const good = { DATABASE_URL: shop, STREAMGATE_HISTORY_URL: kept };
const hash = 'a'.repeat(64);

/** The code and message of what a call throws. */
function refusal(work: () => unknown): { code: unknown; message: string } {
  try {
    work();
  } catch (error) {
    return { code: (error as { code?: unknown }).code, message: (error as Error).message };
  }
  throw new Error('Nothing was refused.');
}

describe('the settings', () => {
  test('need a database and a history; the rest has defaults', () => {
    expect(readSettings(good)).toEqual({
      databases: [{ name: 'shop', url: shop }],
      historyUrl: kept,
      stage: 'default',
      retentionDays: 40,
      tokens: {},
      configPath: undefined,
    });
  });

  test('can all be set, and what is nobody’s is left alone', () => {
    const settings = readSettings({
      ...good,
      STREAMGATE_RETENTION_DAYS: '7',
      STREAMGATE_TOKENS: JSON.stringify({ [hash]: ['read', 'operate'] }),
      STREAMGATE_CONFIG: 'rules.json',
      PATH: '/bin',
    });
    expect(settings).toMatchObject({
      retentionDays: 7,
      tokens: { [hash]: ['read', 'operate'] },
      configPath: 'rules.json',
    });
  });

  test.each([
    [{}, undefined],
    [{ AWS_LAMBDA_FUNCTION_NAME: 'audit' }, 'StreamGate'],
    [{ AWS_LAMBDA_FUNCTION_NAME: 'audit', STREAMGATE_METRICS: 'none' }, undefined],
    [{ STREAMGATE_METRICS: 'cloudwatch' }, 'StreamGate'],
    [{ STREAMGATE_METRICS: 'cloudwatch', STREAMGATE_METRICS_NAMESPACE: 'Shop' }, 'Shop'],
    [{ STREAMGATE_METRICS_NAMESPACE: 'Shop' }, undefined],
  ])('find functions in CloudWatch on Lambda, or when they say so: %o', (variables, namespace) => {
    expect(readSettings({ ...good, ...variables }).metricsNamespace).toBe(namespace);
  });

  test.each([{ STREAMGATE_METRICS: 'datadog' }, { STREAMGATE_METRICS_NAMESPACE: 'AWS/Lambda' }])(
    'refuse %o',
    (variables) => {
      const [name = ''] = Object.keys(variables);
      expect(refusal(() => readSettings({ ...good, ...variables }))).toMatchObject({
        code: 'configuration-invalid',
        message: expect.stringContaining(name),
      });
    },
  );

  test('take an empty variable as one that is not set', () => {
    const empty = {
      STREAMGATE_DATABASES: '',
      STREAMGATE_RETENTION_DAYS: '',
      STREAMGATE_TOKENS: '',
      STREAMGATE_CONFIG: '',
    };
    expect(readSettings({ ...good, ...empty })).toEqual(readSettings(good));
    expect(refusal(() => readSettings({ ...good, DATABASE_URL: '' })).message).toMatch(/No database to monitor/);
  });

  test.each([
    ['DATABASE_URL', { STREAMGATE_HISTORY_URL: kept }],
    ['STREAMGATE_DATABASES', { STREAMGATE_HISTORY_URL: kept, STREAMGATE_DATABASES: '{}' }],
    ['STREAMGATE_HISTORY_URL', { DATABASE_URL: shop }],
  ])('say that %s is missing', (name, env) => {
    const { code, message } = refusal(() => readSettings(env));
    expect(code).toBe('configuration-invalid');
    expect(message).toContain(name);
  });

  test.each([
    ['DATABASE_URL', 'mysql://u:geheim@db/shop', 'database-url-invalid'],
    ['DATABASE_URL', 'not a url', 'database-url-invalid'],
    ['STREAMGATE_HISTORY_URL', 'https://example.com', 'database-url-invalid'],
    ['STREAMGATE_DATABASES', '{"a":"mysql://u:geheim@db/a"}', 'database-url-invalid'],
    ['STREAMGATE_DATABASES', '{"a":', 'configuration-invalid'],
    ['STREAMGATE_DATABASES', '[]', 'configuration-invalid'],
    ['STREAMGATE_DATABASES', '"text"', 'configuration-invalid'],
    ['STREAMGATE_DATABASES', '{"a":1}', 'configuration-invalid'],
    ['STREAMGATE_DATABASES', `{"":"${kept}"}`, 'configuration-invalid'],
    ['STREAMGATE_RETENTION_DAYS', '0', 'configuration-invalid'],
    ['STREAMGATE_RETENTION_DAYS', '3651', 'configuration-invalid'],
    ['STREAMGATE_RETENTION_DAYS', '1.5', 'configuration-invalid'],
    ['STREAMGATE_RETENTION_DAYS', '-1', 'configuration-invalid'],
    ['STREAMGATE_RETENTION_DAYS', 'forty', 'configuration-invalid'],
    ['STREAMGATE_RETENTION_DAYS', '1e2', 'configuration-invalid'],
    ['STREAMGATE_RETENTION_DAYS', ' 7', 'configuration-invalid'],
    ['STREAMGATE_TOKENS', '{', 'configuration-invalid'],
    ['STREAMGATE_TOKENS', '{"abc":["read"]}', 'configuration-invalid'],
    ['STREAMGATE_TOKENS', `{"${'A'.repeat(64)}":["read"]}`, 'configuration-invalid'],
    ['STREAMGATE_TOKENS', `{"${hash}":["write"]}`, 'configuration-invalid'],
    ['STREAMGATE_TOKENS', `{"${hash}":"read"}`, 'configuration-invalid'],
  ])('refuse %s=%s, naming it', (name, value, code) => {
    const refused = refusal(() => readSettings({ ...good, [name]: value }));
    expect(refused.code).toBe(code);
    expect(refused.message).toContain(name);
    expect(refused.message).not.toContain('geheim');
  });

  test('never repeat a token that was given in the place of its hash', () => {
    const { message } = refusal(() => readSettings({ ...good, STREAMGATE_TOKENS: '{"my-raw-token":["read"]}' }));
    expect(message).not.toContain('my-raw-token');
  });

  test.each([
    ['STREAMGATE_TOKENS', 'geheim'],
    ['STREAMGATE_DATABASES', 'u:geheim@db/shop'],
  ])('never repeat a secret out of %s that is not JSON', (name, value) => {
    expect(refusal(() => readSettings({ ...good, [name]: value })).message).not.toContain('geheim');
  });
});

describe('several databases', () => {
  test('go by the names that they were given', () => {
    const databases = JSON.stringify({ billing: kept, 'the shop': shop });
    expect(readDatabases({ STREAMGATE_DATABASES: databases })).toEqual([
      { name: 'billing', url: kept },
      { name: 'the shop', url: shop },
    ]);
  });

  test('come after DATABASE_URL, which goes by the name in the URL', () => {
    const databases = readDatabases({ DATABASE_URL: shop, STREAMGATE_DATABASES: JSON.stringify({ billing: kept }) });
    expect(databases.map(({ name }) => name)).toEqual(['shop', 'billing']);
  });

  test('cannot have the same name', () => {
    const env = { DATABASE_URL: shop, STREAMGATE_DATABASES: JSON.stringify({ shop: kept }) };
    const { code, message } = refusal(() => readDatabases(env));
    expect(code).toBe('configuration-invalid');
    expect(message).toMatch(/STREAMGATE_DATABASES names "shop" again/);
  });

  test('may be none, for who only asks', () => {
    expect(readDatabases({})).toEqual([]);
  });

  test.each(['postgres://u:geheim@/shop?host=/run/postgresql', 'postgres://u:geheim@db/100%'])(
    'are read or refused with a code, whatever their URL: %s',
    (url) => {
      let code: unknown = 'read';
      try {
        readDatabases({ DATABASE_URL: url });
      } catch (error) {
        code = (error as { code?: unknown }).code;
      }
      expect(['read', 'database-url-invalid']).toContain(code);
    },
  );
});

describe('choosing a database', () => {
  const databases = [
    { name: 'shop', url: shop },
    { name: 'billing', url: kept },
  ];

  test('takes the first when none is named', () => {
    expect(chooseDatabase(databases)).toBe(databases[0]);
  });

  test('takes the one that is named', () => {
    expect(chooseDatabase(databases, 'billing')).toBe(databases[1]);
  });

  test('refuses any other name, and tells those that there are', () => {
    fc.assert(
      fc.property(fc.string(), (name) => {
        fc.pre(name !== 'shop' && name !== 'billing');
        const { code, message } = refusal(() => chooseDatabase(databases, name));
        expect(code).toBe('database-unknown');
        expect(message).toContain('Configured: shop, billing.');
        expect(message).not.toContain('geheim');
      }),
    );
  });
});

describe('the settings of the one-machine mode', () => {
  test('need nothing', () => {
    expect(readLocalSettings({})).toEqual({ PORT: 8787, HOST: '127.0.0.1', STREAMGATE_DIRECTORY: '.streamgate' });
  });

  test.each([
    ['0', 0],
    ['65535', 65_535],
  ])('take port %s', (text, port) => {
    expect(readLocalSettings({ PORT: text }).PORT).toBe(port);
  });

  test.each([
    ['PORT', '65536'],
    ['PORT', '80a'],
    ['PORT', '-1'],
    ['STREAMGATE_TOKEN', 'short'],
    ['STREAMGATE_TOKEN', 'with a space'],
    ['STREAMGATE_TOKEN', '<script>alert()'],
  ])('refuse %s=%s, naming it and not repeating it', (name, value) => {
    const { code, message } = refusal(() => readLocalSettings({ [name]: value }));
    expect(code).toBe('configuration-invalid');
    expect(message).toMatch(new RegExp(`^${name}: `));
    if (name === 'STREAMGATE_TOKEN') expect(message).not.toContain(value);
  });
});
