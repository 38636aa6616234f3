import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/**
 * The part of CloudFront's API that makes invalidations, at the wire, as strict as AWS says it is.
 * https://docs.aws.amazon.com/cloudfront/latest/APIReference/API_CreateInvalidation.html
 */

const namespace = 'http://cloudfront.amazonaws.com/doc/2020-05-31/';

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/InvalidationLimits.html */
const maxInProgress = 3_000;

/** https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/invalidation-specifying-tags.html */
const validItem = /^(#[\x21-\x2b\x2d-\x7e]{1,256}|\/.*)$/;

/** What an answer is spoilt with, in place of carrying the request out; `lose-answer` does carry it out. */
export type Fault = 'throttle' | 'too-many' | 'server-error' | 'denied' | 'no-tags' | 'hang' | 'drop' | 'lose-answer';

/** An invalidation that was accepted. */
export interface Invalidation {
  id: string;
  distributionId: string;
  callerReference: string;
  items: string[];
  inProgress: boolean;
}

/** A request that got here, whatever became of it. */
export interface Attempt {
  callerReference: string | undefined;
  items: string[];
  /** `Created`, `Repeated`, the code of an error, or the fault it met. */
  outcome: string;
}

/** Refused, with the code and status that CloudFront has for it. */
class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, status: number, message: string) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export class FakeCloudFront {
  readonly attempts: Attempt[] = [];
  readonly invalidations: Invalidation[] = [];
  /** What becomes of the requests to come, one each; `ever` of all that come after them. */
  readonly faults: Fault[] = [];
  ever: Fault | undefined;
  /** Whether invalidations stay in progress until one more is refused for them. */
  slow = false;
  /** The most requests that were open at a time. */
  mostAtOnce = 0;
  /** Holds answers back until it resolves. */
  gate: Promise<void> = Promise.resolve();
  readonly #distributions: readonly string[];
  readonly #server = createServer((request, response) => void this.#answer(request, response));
  #open = 0;

  constructor(...distributions: string[]) {
    this.#distributions = distributions;
  }

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.#open++;
    this.mostAtOnce = Math.max(this.mostAtOnce, this.#open);
    const attempt: Attempt = { callerReference: undefined, items: [], outcome: 'received' };
    this.attempts.push(attempt);
    try {
      const reply = await this.#reply(request, attempt);
      // Before it is sent: who has it may ask again at once.
      this.#open--;
      if (!reply) return;
      const [status, xml, headers] = reply;
      response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r-1', ...headers }).end(xml);
    } catch {
      this.#open--;
      request.socket.destroy();
    }
  }

  /** What to answer; nothing, to say nothing. @throws where the connection is to be cut */
  async #reply(request: IncomingMessage, attempt: Attempt): Promise<Reply | undefined> {
    try {
      const batch = readBatch(await text(request));
      Object.assign(attempt, { callerReference: batch.callerReference, items: batch.items });
      const fault = this.faults.shift() ?? this.ever;
      if (fault) attempt.outcome = fault;
      await this.gate;
      if (fault === 'hang') return undefined;
      if (fault === 'drop') throw new Error(fault);
      if (fault) refuse(fault);
      const { id, created } = this.#create(checkRequest(request, this.#distributions), batch);
      if (fault) throw new Error(fault);
      attempt.outcome = created ? 'Created' : 'Repeated';
      return [201, describe(id, batch), { location: `${request.url}/${id}` }];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      attempt.outcome = error.code;
      return [error.status, failure(error)];
    }
  }

  #create(distributionId: string, { callerReference, items, quantity }: Batch): { id: string; created: boolean } {
    if (quantity !== items.length) {
      throw new Refusal('InconsistentQuantities', 400, "The value of Quantity and the size of Items don't match.");
    }
    if (quantity > maxInProgress) throw new Refusal('BatchTooLarge', 413, 'Invalidation batch specified is too large.');
    if (quantity === 0) throw new Refusal('InvalidArgument', 400, 'The list of items is empty.');
    const bad = items.find((item) => !validItem.test(item));
    if (bad) throw new Refusal('InvalidArgument', 400, `Invalid item: ${bad}`);
    const known = this.invalidations.find(
      (invalidation) =>
        invalidation.distributionId === distributionId && invalidation.callerReference === callerReference,
    );
    if (known && known.items.join() !== items.join()) {
      throw new Refusal('InvalidationBatchAlreadyExists', 400, 'The caller reference was used for another batch.');
    }
    if (known) return { id: known.id, created: false };
    const underWay = this.invalidations.filter(({ inProgress }) => inProgress);
    if (underWay.flatMap((invalidation) => invalidation.items).length + quantity > maxInProgress) {
      for (const invalidation of underWay) invalidation.inProgress = false;
      refuse('too-many');
    }
    const id = `I${this.invalidations.length + 1}`;
    this.invalidations.push({ id, distributionId, callerReference, items, inProgress: this.slow });
    return { id, created: true };
  }
}

function refuse(fault: Fault): void {
  switch (fault) {
    case 'throttle':
      throw new Refusal('Throttling', 400, 'Rate exceeded');
    case 'too-many':
      throw new Refusal(
        'TooManyInvalidationsInProgress',
        400,
        'Processing your request will cause you to exceed the maximum number of in-progress invalidations.',
      );
    case 'server-error':
      throw new Refusal('InternalFailure', 500, 'We encountered an internal error.');
    case 'denied':
      throw new Refusal('AccessDenied', 403, 'User: arn:aws:iam::123456789012:user/ci is not authorized.');
    case 'no-tags':
      throw new Refusal('InvalidArgument', 400, 'The distribution has no CacheTagConfig.');
    default:
  }
}

/** The distribution that a signed request is about. */
function checkRequest(request: IncomingMessage, distributions: readonly string[]): string {
  const signed =
    /^AWS4-HMAC-SHA256 Credential=\S+\/us-east-1\/cloudfront\/aws4_request, SignedHeaders=\S+, Signature=[\da-f]{64}$/;
  if (!signed.test(request.headers.authorization ?? '')) {
    throw new Refusal('MissingAuthenticationToken', 403, 'Missing Authentication Token');
  }
  const id = /^\/2020-05-31\/distribution\/([^/]+)\/invalidation$/.exec(request.url ?? '')?.[1];
  if (request.method !== 'POST' || !id) throw new Refusal('UnknownOperation', 404, `${request.method} ${request.url}`);
  if (!distributions.includes(id)) {
    throw new Refusal('NoSuchDistribution', 404, 'The specified distribution does not exist.');
  }
  return id;
}

type Reply = [status: number, xml: string, headers?: Record<string, string>];

interface Batch {
  callerReference: string;
  quantity: number;
  items: string[];
}

/** Reads the only document that there is here; its elements may come in any order. */
function readBatch(xml: string): Batch {
  const element = (name: string) => new RegExp(`<${name}>([^<]*)</${name}>`).exec(xml)?.[1];
  const callerReference = element('CallerReference');
  const quantity = element('Quantity');
  if (!xml.includes(`<InvalidationBatch xmlns="${namespace}">`) || !callerReference || quantity === undefined) {
    throw new Refusal('MalformedXML', 400, 'The XML you provided was not well-formed.');
  }
  const items = [...xml.matchAll(/<Path>([^<]*)<\/Path>/g)].map(([, item = '']) => fromXml(item));
  return { callerReference, quantity: Number(quantity), items };
}

const entities: Record<string, string> = { lt: '<', gt: '>', quot: '"', apos: "'", amp: '&' };

function fromXml(xml: string): string {
  return xml.replace(/&(?:#x([\da-f]+)|(\w+));/gi, (_, code, name) =>
    code ? String.fromCodePoint(Number.parseInt(code, 16)) : (entities[name] ?? ''),
  );
}

function toXml(plain: string): string {
  return plain.replace(/[<>&]/g, (character) => `&#x${character.charCodeAt(0).toString(16)};`);
}

function describe(id: string, { callerReference, items }: Batch): string {
  return `<?xml version="1.0"?>
<Invalidation xmlns="${namespace}"><Id>${id}</Id><Status>InProgress</Status><CreateTime>2026-09-01T12:00:00.000Z</CreateTime>
<InvalidationBatch><Paths><Quantity>${items.length}</Quantity><Items>${items.map((item) => `<Path>${toXml(item)}</Path>`).join('')}</Items></Paths>
<CallerReference>${callerReference}</CallerReference></InvalidationBatch></Invalidation>`;
}

function failure({ code, message }: Refusal): string {
  return `<?xml version="1.0"?>
<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${toXml(message)}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`;
}
