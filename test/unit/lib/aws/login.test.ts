import { createHash, createHmac } from 'node:crypto';
import { SignatureV4 } from '@smithy/signature-v4';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { elastiCachePassword, rdsPassword } from '../../../../lib/aws/login.ts';
import { presign } from '../../../../lib/aws/presign.ts';
import { clientConfig } from '../../../../lib/postgres/url.ts';

/** What AWS's own signer hashes with. */
class Sha256 {
  readonly #hash;
  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', secret as Buffer);
  }
  update(data: string | Uint8Array) {
    this.#hash.update(data);
  }
  async digest() {
    return new Uint8Array(this.#hash.digest());
  }
  reset() {}
}

const text = fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme' });

test('what is signed is signed as the SDK of AWS signs it', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.record({ Action: text, User: text }),
      fc.option(text, { nil: undefined }),
      fc.date({ min: new Date('2020-01-01'), max: new Date('2040-01-01'), noInvalidDate: true }),
      async (query, sessionToken, at) => {
        const credentials = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalr/XUtn+FEMI', sessionToken };
        const host = 'db.example.com:5432';
        const own = presign(
          { host, query, service: 'rds-db', region: 'eu-central-1', credentials, expiresSeconds: 900 },
          at.getTime(),
        );
        const signer = new SignatureV4({
          service: 'rds-db',
          region: 'eu-central-1',
          credentials: { ...credentials, ...(sessionToken ? { sessionToken } : {}) } as typeof credentials & {
            sessionToken: string;
          },
          sha256: Sha256 as never,
        });
        const request = { method: 'GET', protocol: 'https:', hostname: host, path: '/', headers: { host }, query };
        const signed = await signer.presign(request as never, { signingDate: at, expiresIn: 900 });
        const found = new URLSearchParams(own.slice(own.indexOf('?')));
        expect(Object.fromEntries(found)).toEqual(signed.query);
      },
    ),
    { numRuns: 100 },
  );
});

const lambda = {
  AWS_REGION: 'eu-central-1',
  AWS_ACCESS_KEY_ID: 'AKID',
  AWS_SECRET_ACCESS_KEY: 'secret',
  AWS_SESSION_TOKEN: 'token',
};

test('a role logs in to RDS for a quarter of an hour, in the region of the server', () => {
  const host = 'shop.cluster-abc.eu-west-1.rds.amazonaws.com';
  const password = rdsPassword({ host, port: 5432, user: 'streamgate' }, lambda, 0);
  expect(password).toMatch(
    /^shop\.cluster-abc\.eu-west-1\.rds\.amazonaws\.com:5432\/\?Action=connect&DBUser=streamgate&/,
  );
  expect(password).toContain('X-Amz-Credential=AKID%2F19700101%2Feu-west-1%2Frds-db%2Faws4_request');
  expect(password).toContain('X-Amz-Expires=900');
});

test('a role logs in to an ElastiCache Serverless by its name', () => {
  const password = elastiCachePassword({ cache: 'streamgate-prod', user: 'reader' }, lambda, 0);
  expect(password).toMatch(/^streamgate-prod\/\?Action=connect&ResourceType=ServerlessCache&User=reader&/);
  expect(password).toContain('%2Feu-central-1%2Felasticache%2Faws4_request');
});

test.each([
  ['another host', { host: 'db.example.com', port: 5432, user: 'u' }, lambda],
  ['a host that only looks like it', { host: 'eu-west-1.rds.amazonaws.com.evil.example', port: 1, user: 'u' }, lambda],
  ['no AWS', { host: 'a.b.eu-west-1.rds.amazonaws.com', port: 5432, user: 'u' }, {}],
])('there is no such password for %s', (_, login, env) => {
  expect(rdsPassword(login, env)).toBeUndefined();
});

test('a URL of RDS without a password gets a new one for every connection', async () => {
  const before = { ...process.env };
  Object.assign(process.env, lambda);
  try {
    const { password, user } = clientConfig('postgres://u@a.b.eu-west-1.rds.amazonaws.com:5432/shop?sslmode=require');
    expect(user).toBe('u');
    expect(await (password as () => string)()).toContain('DBUser=u');
    expect(clientConfig('postgres://u:p@a.b.eu-west-1.rds.amazonaws.com/shop').password).toBe('p');
    expect(clientConfig('postgres://u@127.0.0.1/shop').password).not.toBeTypeOf('function');
  } finally {
    for (const name of Object.keys(lambda)) delete process.env[name];
    Object.assign(process.env, before);
  }
});
