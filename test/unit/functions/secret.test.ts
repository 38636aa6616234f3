import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readSecret } from '../../../functions/secret.ts';

/** A stand-in for the Parameters and Secrets extension: the same path, header and answers. */
let extension: Server;
let secrets: Record<string, string | number>;
let asked: number;

beforeEach(async () => {
  secrets = {};
  asked = 0;
  extension = createServer((request, response) => {
    asked++;
    const url = new URL(request.url ?? '/', 'http://localhost');
    const value = secrets[url.searchParams.get('secretId') ?? ''];
    if (url.pathname !== '/secretsmanager/get') response.writeHead(404).end();
    else if (request.headers['x-aws-parameters-secrets-token'] !== 'session') response.writeHead(401).end();
    else if (typeof value !== 'string') response.writeHead(value ?? 400).end('ResourceNotFoundException');
    else response.end(JSON.stringify({ Name: 'x', SecretString: value }));
  }).listen(0, 'localhost');
  await once(extension, 'listening');
  const address = extension.address();
  vi.stubEnv('PARAMETERS_SECRETS_EXTENSION_HTTP_PORT', String(typeof address === 'object' ? address?.port : ''));
  vi.stubEnv('AWS_SESSION_TOKEN', 'session');
});

afterEach(() => {
  vi.unstubAllEnvs();
  extension.close();
});

test('settings come out of the secret, objects as JSON', async () => {
  secrets['arn:a'] = JSON.stringify({ DATABASE_URL: 'postgres://u:p@h/d', STREAMGATE_TOKENS: { abc: ['read'] } });
  expect(await readSecret('arn:a')).toEqual({
    DATABASE_URL: 'postgres://u:p@h/d',
    STREAMGATE_TOKENS: '{"abc":["read"]}',
  });
});

test('a secret is asked for once a minute, and a change is seen after that', async () => {
  secrets['arn:b'] = '{"A":"1"}';
  expect(await readSecret('arn:b', 1_000_000)).toEqual({ A: '1' });
  secrets['arn:b'] = '{"A":"2"}';
  expect(await readSecret('arn:b', 1_059_999)).toEqual({ A: '1' });
  expect(asked).toBe(1);
  expect(await readSecret('arn:b', 1_060_000)).toEqual({ A: '2' });
});

test.each([
  ['arn:none', undefined, /cannot be read \(status 400\).*Give it a value/],
  ['arn:throttled', 429, /status 429/],
  ['arn:text', 'hunter2', /not a JSON object/],
  ['arn:list', '["hunter2"]', /not a JSON object/],
])('%s is refused by name, with nothing of what it holds', async (arn, value, message) => {
  if (value !== undefined) secrets[arn] = value;
  const error = await readSecret(arn).catch((reason: Error) => reason);
  expect(error).toMatchObject({ code: 'configuration-invalid', message: expect.stringMatching(message) });
  expect(String(error)).toContain(arn);
  expect(String(error)).not.toContain('hunter2');
});

test('a missing extension is told, with the remedy', async () => {
  vi.stubEnv('PARAMETERS_SECRETS_EXTENSION_HTTP_PORT', '1');
  await expect(readSecret('arn:c')).rejects.toThrow(/extension does not answer. Add its layer/);
});
