import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import type { ServerlessCache } from '../../../../lib/aws/facts.ts';

/**
 * The part of ElastiCache's API that describes serverless caches, at the wire: the query protocol of AWS.
 *
 * - https://docs.aws.amazon.com/AmazonElastiCache/latest/APIReference/API_DescribeServerlessCaches.html
 * - https://smithy.io/2.0/aws/protocols/aws-query-protocol.html
 */

const version = '2015-02-02';
const namespace = `http://elasticache.amazonaws.com/doc/${version}/`;

/** What an answer is spoilt with. */
export type Fault = 'throttle' | 'denied' | 'server-error' | 'drop';

export class FakeElastiCache {
  /** By name. */
  readonly caches: Record<string, ServerlessCache> = {};
  /** What becomes of the requests to come, one each. */
  readonly faults: Fault[] = [];
  /** What was asked for: the code of an error, or `Done`. */
  readonly attempts: string[] = [];
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const form = new URLSearchParams(await text(request));
    const fault = this.faults.shift();
    if (fault === 'drop') {
      this.attempts.push(fault);
      request.socket.destroy();
      return;
    }
    const { status, code, xml } = this.#reply(request, form, fault);
    this.attempts.push(code);
    response.writeHead(status, { 'content-type': 'text/xml', 'x-amzn-requestid': 'r-1' }).end(xml);
  }

  #reply(request: IncomingMessage, form: URLSearchParams, fault: Fault | undefined) {
    const signed =
      /^AWS4-HMAC-SHA256 Credential=\S+\/[\w-]+\/elasticache\/aws4_request, SignedHeaders=\S+, Signature=[\da-f]{64}$/;
    if (!signed.test(request.headers.authorization ?? ''))
      return refuse('MissingAuthenticationToken', 403, 'Missing Authentication Token');
    if (fault === 'throttle') return refuse('Throttling', 400, 'Rate exceeded');
    if (fault === 'denied')
      return refuse('AccessDenied', 403, 'User: arn:aws:iam::123456789012:user/ci is not authorized.');
    if (fault === 'server-error') return refuse('InternalFailure', 500, 'We encountered an internal error.');
    if (
      request.method !== 'POST' ||
      form.get('Action') !== 'DescribeServerlessCaches' ||
      form.get('Version') !== version
    )
      return refuse('InvalidAction', 400, `Could not find operation ${form.get('Action')}`);
    const name = form.get('ServerlessCacheName') ?? '';
    const cache = this.caches[name];
    if (!cache) return refuse('ServerlessCacheNotFoundFault', 404, `ServerlessCache ${name} not found`);
    return { status: 200, code: 'Done', xml: described(name, cache) };
  }
}

function described(name: string, { Engine, FullEngineVersion, MajorEngineVersion, CacheUsageLimits }: ServerlessCache) {
  const { DataStorage, ECPUPerSecond } = CacheUsageLimits ?? {};
  const element = (tag: string, value: string | number | undefined) =>
    value === undefined ? '' : `<${tag}>${value}</${tag}>`;
  const storage = DataStorage && `${element('Maximum', DataStorage.Maximum)}${element('Unit', DataStorage.Unit)}`;
  const limits = `${element('DataStorage', storage)}${element('ECPUPerSecond', ECPUPerSecond && element('Maximum', ECPUPerSecond.Maximum))}`;
  return `<?xml version="1.0"?>
<DescribeServerlessCachesResponse xmlns="${namespace}"><DescribeServerlessCachesResult><ServerlessCaches><member>
<ServerlessCacheName>${name}</ServerlessCacheName><Status>available</Status>
${element('Engine', Engine)}${element('MajorEngineVersion', MajorEngineVersion)}${element('FullEngineVersion', FullEngineVersion)}
${CacheUsageLimits ? element('CacheUsageLimits', limits) : ''}
</member></ServerlessCaches></DescribeServerlessCachesResult><ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></DescribeServerlessCachesResponse>`;
}

function refuse(code: string, status: number, message: string) {
  const xml = `<ErrorResponse xmlns="${namespace}"><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error><RequestId>r-1</RequestId></ErrorResponse>`;
  return { status, code, xml };
}
