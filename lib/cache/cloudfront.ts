import type { CloudFrontClient, CreateInvalidationCommandInput } from '@aws-sdk/client-cloudfront';
import type { Cdn } from './cdn.ts';
import { type Duration, milliseconds } from './duration.ts';
import { CacheError } from './errors.ts';
import { cdnTag } from './http.ts';
import { checkOptions, wholeNumber } from './options.ts';

/** How a CloudFront distribution is told to forget. */
export interface CloudFrontOptions {
  /** The distribution, such as `E1A2B3C4D5E6F7`. Its `CacheTagConfig` must name {@link tagHeader}. */
  distributionId: string;
  /** What to call CloudFront with, where its credentials, retries or timeouts must differ. Made at the first purge otherwise. */
  client?: CloudFrontClient;
  /** The response header with the tags. Default: `cache-tag`. CloudFront prescribes no name; it only has no default. */
  tagHeader?: string;
  /** The most tags in one request, 1 to 3,000. Default: 3,000, which is all that may be under way at a time. */
  batchSize?: number;
  /**
   * How long one request may take, with all its retries. Default: 30 s, longer than 95 % of invalidations are under way.
   * A Lambda function must await the purge: what is frozen is not sent.
   */
  timeout?: Duration;
}

const optionNames = ['distributionId', 'client', 'tagHeader', 'batchSize', 'timeout'];

/**
 * The most paths and tags that may be under way for a distribution, in all requests together.
 * https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html
 */
const maxInProgress = 3_000;

/** The name of a header: https://www.rfc-editor.org/rfc/rfc9110#section-5.6.2 */
const validHeader = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * CloudFront as the third level. Forgets objects by tag; everywhere in under 5 s for 95 % of the requests, says AWS.
 * A tag costs as much as a path: 1,000 a month are free, the others USD 0.005 each, so use few and broad ones.
 *
 * Purges that are asked for in the same turn of the event loop, or while a request is on its way, go together in
 * the next request, each tag once.
 *
 * - https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-by-tags.html
 * - https://aws.amazon.com/about-aws/whats-new/2026/04/cloudfront-invalidation-cache-tag/
 *
 * @example
 * const cdn = cloudFront({ distributionId: 'E1A2B3C4D5E6F7' });
 * await cdn.purge(['product:42']);
 *
 * @throws CacheError `option-invalid`
 * @returns its `purge` rejects with a CacheError: `tag-invalid` for an empty label, and
 *   `level-unreachable` when it did not accept the order; what was to be forgotten may then be served until it expires
 */
export function cloudFront(options: CloudFrontOptions): Cdn {
  checkOptions(options, optionNames, 'cloudFront()');
  return new CloudFront(options);
}

/** Tags that go together. */
interface Order {
  /** By its lower case: CloudFront does not tell the two apart, and counts them twice. */
  tags: Map<string, string>;
  accepted: Promise<void>;
}

class CloudFront implements Cdn {
  readonly name = 'cloudfront';
  readonly tagHeader: string;
  readonly #distributionId: string;
  readonly #batchSize: number;
  readonly #timeoutMs: number;
  #client: CloudFrontClient | undefined;
  /** What has not gone yet, and can still be added to. */
  #open: Order | undefined;
  #previous: Promise<void> = Promise.resolve();

  constructor({ distributionId, client, tagHeader = 'cache-tag', batchSize, timeout }: CloudFrontOptions) {
    if (typeof distributionId !== 'string' || distributionId === '') {
      throw new CacheError(
        'option-invalid',
        'distributionId: give the ID of the distribution, such as E1A2B3C4D5E6F7.',
      );
    }
    if (!validHeader.test(tagHeader)) {
      throw new CacheError('option-invalid', `tagHeader: "${tagHeader}" cannot be the name of a header.`);
    }
    this.#distributionId = distributionId;
    this.#client = client;
    this.tagHeader = tagHeader.toLowerCase();
    this.#batchSize = wholeNumber(batchSize ?? maxInProgress, 1, 'batchSize');
    if (this.#batchSize > maxInProgress) {
      throw new CacheError('option-invalid', `batchSize: CloudFront takes ${maxInProgress} tags at a time at most.`);
    }
    this.#timeoutMs = milliseconds(timeout ?? '30s', 'timeout');
  }

  async purge(labels: readonly string[]): Promise<void> {
    if (labels.length === 0) return;
    const tags = labels.map(cdnTag);
    this.#open ??= this.#order();
    for (const tag of tags) this.#open.tags.set(tag.toLowerCase(), tag);
    await this.#open.accepted;
  }

  #order(): Order {
    const tags: Order['tags'] = new Map();
    const accepted = this.#previous.then(() => {
      // What is purged from now on may be about objects that are stored while this is on its way.
      this.#open = undefined;
      return this.#send([...tags.values()]);
    });
    this.#previous = accepted.catch(() => {});
    return { tags, accepted };
  }

  async #send(tags: readonly string[]): Promise<void> {
    for (let start = 0; start < tags.length; start += this.#batchSize) {
      await this.#invalidate(tags.slice(start, start + this.#batchSize));
    }
  }

  async #invalidate(tags: readonly string[]): Promise<void> {
    const input: CreateInvalidationCommandInput = {
      DistributionId: this.#distributionId,
      InvalidationBatch: {
        // The same in every attempt: one whose answer was lost is not carried out again. New in every batch: with
        // an old one CloudFront would answer that it is done, and do nothing.
        CallerReference: `streamgate-${globalThis.crypto.randomUUID()}`,
        Paths: { Quantity: tags.length, Items: tags.map((tag) => `#${tag}`) },
      },
    };
    const abortSignal = AbortSignal.timeout(this.#timeoutMs);
    let refusal: unknown;
    try {
      // Loaded at the first purge: it takes longer than anything else here, and most functions only read.
      const sdk = await import('@aws-sdk/client-cloudfront');
      this.#client ??= new sdk.CloudFrontClient(clientDefaults);
      const command = new sdk.CreateInvalidationCommand(input);
      // Within the SDK's retries, so that it sees every attempt.
      command.middlewareStack.add(
        (next) => (args) =>
          next(args).catch((error: Error) => {
            refusal = error;
            // The SDK retries what it knows to pass. This passes too, but it does not know it.
            if (error.name !== 'TooManyInvalidationsInProgress') throw error;
            throw Object.assign(error, { $retryable: { throttling: true } });
          }),
        { step: 'deserialize', priority: 'high' },
      );
      await this.#client.send(command, { abortSignal });
    } catch (error) {
      const cause = abortSignal.aborted ? (refusal ?? error) : error;
      throw new CacheError(
        'level-unreachable',
        `CloudFront distribution ${this.#distributionId} did not accept an invalidation (tags: ${tags.length}): ` +
          `${describe(cause)}${abortSignal.aborted ? `, for ${this.#timeoutMs} ms` : ''}. ${remedy(cause, this.tagHeader)}`,
        { cause },
      );
    }
  }
}

/** The API is global, and signed for this region. Time bounds the attempts, so let there be many. */
const clientDefaults = {
  region: 'us-east-1',
  maxAttempts: 10,
  // Without its second half the first one only warns.
  requestHandler: { connectionTimeout: 3_000, requestTimeout: 8_000, throwOnRequestTimeout: true },
};

function nameOf(error: unknown): string {
  return error instanceof Error ? error.name : String(error);
}

function describe(error: unknown): string {
  return error instanceof Error && error.message ? `${error.name} (${error.message})` : nameOf(error);
}

function remedy(error: unknown, tagHeader: string): string {
  switch (nameOf(error)) {
    case 'AccessDenied':
      return 'Allow cloudfront:CreateInvalidation on the distribution.';
    case 'CredentialsProviderError':
      return 'Give the process AWS credentials that allow cloudfront:CreateInvalidation.';
    case 'NoSuchDistribution':
      return 'Correct distributionId.';
    case 'InvalidArgument':
      return `See whether CacheTagConfig of the distribution names the header ${tagHeader}.`;
    case 'TooManyInvalidationsInProgress':
      return `No more than ${maxInProgress} can be under way: purge fewer and broader tags.`;
    default:
      return 'Purge again; until then it may be served until it expires.';
  }
}
