import { CloudFrontClient, NoSuchDistribution } from '@aws-sdk/client-cloudfront';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { type CloudFrontOptions, cloudFront } from '../../../../lib/cache/cloudfront.ts';
import { CacheError } from '../../../../lib/cache/errors.ts';
import { cdnTag } from '../../../../lib/cache/http.ts';
import { FakeCloudFront, type Fault } from './fake-cloudfront.ts';

const distributionId = 'E1A2B3C4D5E6F7';
let aws: FakeCloudFront;
let endpoint: string;
let client: CloudFrontClient;

beforeEach(async () => {
  // The SDK waits a random part of its delays: this part is none.
  vi.spyOn(Math, 'random').mockReturnValue(0);
  aws = new FakeCloudFront(distributionId);
  endpoint = await aws.listen();
  client = new CloudFrontClient({
    endpoint,
    region: 'us-east-1',
    credentials: { accessKeyId: 'AKIAFAKE', secretAccessKey: 'fake' },
    maxAttempts: 4,
  });
});

afterEach(async () => {
  client.destroy();
  await aws.close();
  vi.restoreAllMocks();
  vi.unstubAllEnvs();
  // Whatever a test did: one request at a time, and no tag twice in one.
  expect(aws.mostAtOnce).toBeLessThanOrEqual(1);
  for (const { items } of aws.attempts) {
    expect(new Set(items.map((item) => item.toLowerCase())).size).toBe(items.length);
  }
});

function edge(options: Partial<CloudFrontOptions> = {}) {
  return cloudFront({ distributionId, client, ...options });
}

/** All that was invalidated, request by request. */
function invalidated() {
  return aws.invalidations.map(({ items }) => items);
}

/** How a purge failed. */
async function failure(purge: Promise<void>): Promise<CacheError> {
  const error = await purge.then(
    () => undefined,
    (reason) => reason,
  );
  expect(error).toBeInstanceOf(CacheError);
  return error;
}

/** Holds CloudFront's answers back. */
function holdAnswers(): () => void {
  const { promise, resolve } = Promise.withResolvers<void>();
  aws.gate = promise;
  return resolve;
}

/** Takes as long as a request would, had one been made. */
async function requestElsewhere(): Promise<void> {
  const other = new FakeCloudFront('EOTHER');
  const { config } = client;
  const elsewhere = new CloudFrontClient({
    endpoint: await other.listen(),
    region: 'us-east-1',
    credentials: config.credentials,
  });
  await edge({ distributionId: 'EOTHER', client: elsewhere }).purge(['a']);
  elsewhere.destroy();
  await other.close();
}

describe('a purge', () => {
  test('is an invalidation of tags', async () => {
    await edge().purge(['product:42', 'a<b>&"c']);
    expect(invalidated()).toEqual([['#product:42', '#a<b>&"c']]);
    expect(aws.invalidations[0]).toMatchObject({ distributionId });
  });

  test('of nothing asks for nothing, and waits for nothing', async () => {
    const cdn = edge();
    const letGo = holdAnswers();
    const other = cdn.purge(['a']);
    await cdn.purge([]);
    letGo();
    await other;
    expect(aws.attempts).toHaveLength(1);
  });

  test('of the same tags, later, is another invalidation', async () => {
    const cdn = edge();
    await cdn.purge(['a']);
    await cdn.purge(['a']);
    expect(invalidated()).toEqual([['#a'], ['#a']]);
  });

  test('takes every label there can be', async () => {
    const cdn = edge();
    const character = fc.integer({ min: 0, max: 0x10ffff }).map((code) => String.fromCodePoint(code));
    const labels = fc.array(fc.string({ unit: character, minLength: 1, maxLength: 300 }), {
      minLength: 1,
      maxLength: 20,
    });
    await fc.assert(
      fc.asyncProperty(labels, async (some) => {
        await cdn.purge(some);
        const items = new Set(aws.invalidations.at(-1)?.items.map((item) => item.toLowerCase()));
        expect(items).toEqual(new Set(some.map((label) => `#${cdnTag(label).toLowerCase()}`)));
      }),
      { numRuns: 25 },
    );
  });

  test('refuses an empty label, for itself alone', async () => {
    const cdn = edge();
    const [good, bad] = await Promise.all([cdn.purge(['good']), failure(cdn.purge(['better', '']))]);
    expect(good).toBeUndefined();
    expect(bad.code).toBe('tag-invalid');
    expect(invalidated()).toEqual([['#good']]);
  });
});

describe('purges that are asked for together', () => {
  test('go together, each tag once, whatever its case', async () => {
    const cdn = edge();
    await Promise.all([cdn.purge(['a', 'b']), cdn.purge(['B', 'c']), cdn.purge(['a'])]);
    expect(invalidated()).toEqual([['#a', '#B', '#c']]);
  });

  test('while one is on its way, go together in the next, with tags that went already', async () => {
    const cdn = edge();
    const letGo = holdAnswers();
    const first = cdn.purge(['a']);
    await vi.waitFor(() => expect(aws.attempts).toHaveLength(1));
    const rest = [cdn.purge(['a']), cdn.purge(['b'])];
    await requestElsewhere();
    rest.push(cdn.purge(['b', 'c']));
    await requestElsewhere();
    expect(aws.attempts).toHaveLength(1);
    letGo();
    await Promise.all([first, ...rest]);
    expect(invalidated()).toEqual([['#a'], ['#a', '#b', '#c']]);
  });

  test('are told together when they fail, and do not fail the next', async () => {
    const cdn = edge();
    aws.faults.push('denied');
    const failed = await Promise.all([failure(cdn.purge(['a'])), failure(cdn.purge(['b']))]);
    expect(failed.map(({ code }) => code)).toEqual(['level-unreachable', 'level-unreachable']);
    await cdn.purge(['c']);
    expect(invalidated()).toEqual([['#c']]);
  });

  test('resolve only when CloudFront has accepted', async () => {
    const letGo = holdAnswers();
    let accepted = false;
    const purge = edge()
      .purge(['a'])
      .then(() => {
        accepted = true;
      });
    await vi.waitFor(() => expect(aws.attempts).toHaveLength(1));
    expect(accepted).toBe(false);
    letGo();
    await purge;
    expect(invalidated()).toEqual([['#a']]);
  });
});

describe('more tags than CloudFront takes at a time', () => {
  const tags = Array.from({ length: 3_500 }, (_, number) => `t${number}`);

  test('go in batches of 3,000', async () => {
    await edge().purge(tags);
    expect(invalidated().map((items) => items.length)).toEqual([3_000, 500]);
    expect(invalidated().flat()).toEqual(tags.map((tag) => `#${tag}`));
  });

  test('go in the batches that are wanted', async () => {
    await edge({ batchSize: 2 }).purge(['a', 'b', 'c']);
    expect(invalidated()).toEqual([['#a', '#b'], ['#c']]);
  });

  test('wait for those that are in progress', async () => {
    aws.slow = true;
    await edge().purge(tags);
    expect(aws.attempts.map(({ outcome }) => outcome)).toEqual([
      'Created',
      'TooManyInvalidationsInProgress',
      'Created',
    ]);
    expect(invalidated().map((items) => items.length)).toEqual([3_000, 500]);
  });
});

describe('an attempt that fails', () => {
  const passing: Fault[] = ['throttle', 'too-many', 'server-error', 'drop'];

  test.each(passing)('with %s is repeated, with the same reference', async (fault) => {
    aws.faults.push(fault, fault);
    await edge().purge(['a']);
    expect(invalidated()).toEqual([['#a']]);
    expect(aws.attempts).toHaveLength(3);
    expect(new Set(aws.attempts.map(({ callerReference }) => callerReference)).size).toBe(1);
  });

  test('after it was carried out does not make a second invalidation', async () => {
    aws.faults.push('lose-answer');
    await edge().purge(['a']);
    expect(invalidated()).toEqual([['#a']]);
    expect(aws.attempts.map(({ outcome }) => outcome)).toEqual(['lose-answer', 'Repeated']);
  });

  test.each(passing)('with %s, again and again, fails the purge', async (fault) => {
    aws.ever = fault;
    const error = await failure(edge().purge(['a', 'b']));
    expect(error.code).toBe('level-unreachable');
    expect(error.message).toContain(`distribution ${distributionId} did not accept an invalidation (tags: 2)`);
    expect(error.cause).toBeInstanceOf(Error);
    expect(aws.attempts).toHaveLength(4);
  });

  test.each([
    ['denied', 'AccessDenied', 'Allow cloudfront:CreateInvalidation on the distribution.'],
    ['no-tags', 'InvalidArgument', 'whether CacheTagConfig of the distribution names the header cache-tag.'],
    ['too-many', 'TooManyInvalidationsInProgress', 'purge fewer and broader tags.'],
    ['server-error', 'InternalFailure', 'it may be served until it expires.'],
  ] as const)('with %s says %s, and what to do', async (fault, name, remedy) => {
    aws.ever = fault;
    const { message } = await failure(edge().purge(['a']));
    expect(message).toContain(name);
    expect(message).toContain(remedy);
  });

  test('for good is not repeated', async () => {
    aws.ever = 'denied';
    await failure(edge().purge(['a']));
    expect(aws.attempts).toHaveLength(1);
  });

  test('because nobody is logged in says so, and is not made', async () => {
    const credentials = async () => {
      throw Object.assign(new Error('no profile'), { name: 'CredentialsProviderError' });
    };
    const stranger = new CloudFrontClient({ endpoint, region: 'us-east-1', credentials });
    const error = await failure(edge({ client: stranger }).purge(['a']));
    expect(error.message).toContain('Give the process AWS credentials that allow cloudfront:CreateInvalidation.');
    expect(aws.attempts).toEqual([]);
    stranger.destroy();
  });

  test('because there is no such distribution says so', async () => {
    const error = await failure(edge({ distributionId: 'EOTHER' }).purge(['a']));
    expect(error.cause).toBeInstanceOf(NoSuchDistribution);
    expect(error.message).toMatch(/EOTHER .*: NoSuchDistribution .* Correct distributionId\.$/);
  });
});

describe('the time that a purge takes', () => {
  test('is bounded when CloudFront hangs', async () => {
    aws.ever = 'hang';
    const error = await failure(edge({ timeout: 50 }).purge(['a']));
    expect(error.code).toBe('level-unreachable');
    expect(error.message).toContain('for 50 ms');
  });

  test('is bounded when it says no, and the no is told', async () => {
    aws.ever = 'too-many';
    vi.spyOn(Math, 'random').mockReturnValue(0.99);
    const time = new AbortController();
    const timeout = vi.spyOn(AbortSignal, 'timeout').mockReturnValue(time.signal);
    const purge = failure(edge({ timeout: '20s' }).purge(['a']));
    await vi.waitFor(() => expect(aws.attempts[0]?.outcome).toBe('TooManyInvalidationsInProgress'));
    await requestElsewhere();
    time.abort();
    expect((await purge).message).toMatch(/TooManyInvalidationsInProgress .*, for 20000 ms\. No more than 3000/);
    expect(timeout).toHaveBeenCalledWith(20_000);
  });
});

describe('without a client', () => {
  beforeEach(() => {
    vi.stubEnv('AWS_ENDPOINT_URL_CLOUDFRONT', endpoint);
    vi.stubEnv('AWS_ACCESS_KEY_ID', 'AKIAFAKE');
    vi.stubEnv('AWS_SECRET_ACCESS_KEY', 'fake');
    vi.stubEnv('AWS_REGION', 'eu-central-1');
  });

  test('one is made, for the region that signs for CloudFront, with patience', async () => {
    aws.faults.push(...Array<Fault>(6).fill('too-many'));
    await cloudFront({ distributionId }).purge(['a']);
    expect(invalidated()).toEqual([['#a']]);
    expect(aws.attempts).toHaveLength(7);
  });
});

describe('options', () => {
  test('have defaults', () => {
    expect(edge()).toMatchObject({ name: 'cloudfront', tagHeader: 'cache-tag' });
    expect(edge({ tagHeader: 'X-Amz-Meta-Cache-Tag' }).tagHeader).toBe('x-amz-meta-cache-tag');
  });

  test.each([
    [{ distributionID: 'E1' }],
    [{ distributionId: '' }],
    [{ distributionId: undefined }],
    [{ tagHeader: '' }],
    [{ tagHeader: 'cache tag' }],
    [{ tagHeader: 'cache-tag\r\n' }],
    [{ batchSize: 0 }],
    [{ batchSize: 3_001 }],
    [{ batchSize: 1.5 }],
    [{ timeout: '1 minute' }],
    [{ retries: 3 }],
  ])('refuses %j', (options) => {
    const make = () => edge(options as unknown as CloudFrontOptions);
    expect(make).toThrow(expect.objectContaining({ name: 'CacheError', code: 'option-invalid' }));
  });
});
