import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { gunzipSync } from 'node:zlib';

/**
 * The part of CloudWatch's API that keeps, reads and lists metrics, at the wire, as strict as AWS says it is: AWS JSON 1.0, which is what the
 * SDK for JavaScript speaks with it.
 *
 * - https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_PutMetricData.html
 * - https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html
 * - https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_ListMetrics.html
 * - https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */

const target = /^GraniteServiceVersion20100801\.(PutMetricData|GetMetricData|ListMetrics)$/;
const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** What an answer is spoilt with, in place of carrying the request out. */
export type Fault = 'throttle' | 'server-error' | 'denied' | 'hang' | 'drop';

/** A request that got here, whatever became of it. */
export interface Attempt {
  operation: string;
  input: Record<string, unknown>;
  isCompressed: boolean;
  /** `Done`, the code of an error, or the fault it met. */
  outcome: string;
}

interface Datum {
  MetricName?: unknown;
  Dimensions?: { Name?: unknown; Value?: unknown }[] | undefined;
  Timestamp?: unknown;
  Value?: unknown;
  Values?: unknown[];
  Counts?: unknown[];
  Unit?: unknown;
}

interface Query {
  Id?: string;
  MetricStat?: {
    Metric: { Namespace: string; MetricName: string; Dimensions?: Datum['Dimensions'] };
    Period: number;
    Stat: string;
  };
}

interface ListInput {
  Namespace?: string;
  MetricName?: string;
  Dimensions?: { Name?: string; Value?: string }[];
  RecentlyActive?: string;
  NextToken?: string;
}

interface Value {
  atMs: number;
  value: number;
  count: number;
}

/** Refused, with the code that CloudWatch has for it. */
class Refusal extends Error {
  readonly code: string;
  readonly status: number;

  constructor(code: string, message: string, status = 400) {
    super(message);
    this.code = code;
    this.status = status;
  }
}

export class FakeCloudWatch {
  readonly attempts: Attempt[] = [];
  /** What becomes of the requests to come, one each; `ever` of all that come after them. */
  readonly faults: Fault[] = [];
  ever: Fault | undefined;
  /** The most points on a page, however many the request allows. */
  pointsPerPage = 100_800;
  /** The most metrics on a page of a list. */
  metricsPerPage = 500;
  /** What is said of the answers to come, by the number of the request; `Complete` or `PartialData` where nothing is. */
  readonly statuses: (string | undefined)[] = [];
  /** Milliseconds since 1970. */
  now: () => number = Date.now;
  readonly #metrics = new Map<string, Value[]>();
  readonly #server = createServer((request, response) => void this.#answer(request, response));

  async listen(): Promise<string> {
    await new Promise<void>((done) => this.#server.listen(0, '127.0.0.1', done));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((done) => this.#server.close(done));
  }

  /** Forgets everything. */
  reset(): void {
    this.attempts.length = 0;
    this.faults.length = 0;
    this.statuses.length = 0;
    this.ever = undefined;
    this.pointsPerPage = 100_800;
    this.metricsPerPage = 500;
    this.now = Date.now;
    this.#metrics.clear();
  }

  /** Values that a service of AWS has written of itself: nobody else may write to its namespace. */
  publish(
    namespace: string,
    metric: Pick<Datum, 'MetricName' | 'Dimensions'>,
    values: readonly Omit<Value, 'count'>[],
  ): void {
    this.#metrics.set(
      keyOf(namespace, metric),
      values.map((value) => ({ ...value, count: 1 })),
    );
  }

  /** How many metrics there are, which is what is paid for. */
  get metricCount(): number {
    return this.#metrics.size;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const attempt: Attempt = { operation: '', input: {}, isCompressed: false, outcome: 'received' };
    this.attempts.push(attempt);
    const send = (status: number, body: object, headers: Record<string, string> = {}) =>
      response
        .writeHead(status, { 'content-type': 'application/x-amz-json-1.0', 'x-amzn-requestid': 'r-1', ...headers })
        .end(JSON.stringify(body));
    try {
      const sent = await buffer(request);
      attempt.isCompressed = request.headers['content-encoding'] === 'gzip';
      const body = attempt.isCompressed ? gunzipSync(sent) : sent;
      attempt.operation = operationOf(request);
      attempt.input = JSON.parse(body.toString());
      const fault = this.faults.shift() ?? this.ever;
      if (fault) attempt.outcome = fault;
      if (fault === 'hang') return;
      if (fault === 'drop') {
        request.socket.destroy();
        return;
      }
      if (fault) refuse(fault);
      const answer = this.#carryOut(attempt, body.length);
      attempt.outcome = 'Done';
      send(200, answer);
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal('SerializationException', String(error));
      attempt.outcome = refusal.code;
      send(
        refusal.status,
        { __type: `com.amazonaws.cloudwatch#${refusal.code}`, message: refusal.message },
        {
          'x-amzn-query-error': `${refusal.code.replace(/Exception$/, '')};${refusal.status < 500 ? 'Sender' : 'Receiver'}`,
        },
      );
    }
  }

  #carryOut({ operation, input }: Attempt, bytes: number): object {
    switch (operation) {
      case 'PutMetricData':
        return this.#put(input, bytes);
      case 'GetMetricData':
        return this.#get(input);
      default:
        return this.#list(input);
    }
  }

  #put({ Namespace, MetricData = [] }: { Namespace?: unknown; MetricData?: Datum[] }, bytes: number): object {
    if (bytes > 2 ** 20) throw new Refusal('RequestEntityTooLarge', 'The request is larger than 1 MB.', 413);
    if (typeof Namespace !== 'string' || !/^[\w.\-/#: ]{1,255}$/.test(Namespace) || /^(:|AWS\/)/.test(Namespace)) {
      throw invalid(`Namespace ${Namespace}`);
    }
    if (MetricData.length === 0) throw new Refusal('MissingParameter', 'The parameter MetricData is required.');
    if (MetricData.length > 1_000) throw invalid('The collection MetricData must not have a size greater than 1000.');
    const accepted = MetricData.map((datum) => ({ key: keyOf(Namespace, datum), values: this.#valuesOf(datum) }));
    for (const { key, values } of accepted) this.#metrics.set(key, [...(this.#metrics.get(key) ?? []), ...values]);
    return {};
  }

  #valuesOf({ MetricName, Timestamp, Value, Values, Counts, Unit }: Datum): Value[] {
    if (typeof MetricName !== 'string' || MetricName === '' || MetricName.length > 255) throw invalid('MetricName');
    if (!['Bytes', 'Milliseconds', 'Percent', 'Count'].includes(String(Unit))) throw invalid(`Unit ${Unit}`);
    const atMs = typeof Timestamp === 'number' ? 1_000 * Timestamp : Number.NaN;
    const ageMs = this.now() - atMs;
    if (!(ageMs <= 14 * dayMs && ageMs >= -2 * hourMs)) {
      throw invalid('The parameter Timestamp must specify a time no more than two weeks ago and two hours from now.');
    }
    const values = Values ?? [Value];
    const counts = Counts ?? values.map(() => 1);
    if (values.length === 0 || values.length > 150 || counts.length !== values.length) throw invalid('Values');
    return values.map((value, place) => {
      // The protocol has texts for what JSON has no numbers for.
      if (typeof value !== 'number' || !(Math.abs(value) <= 2 ** 360)) {
        throw invalid(`The value ${value} for parameter MetricData.Value is invalid.`);
      }
      const count = counts[place];
      if (typeof count !== 'number' || !(count > 0)) throw invalid(`Counts ${count}`);
      return { atMs, value, count };
    });
  }

  #get(input: Record<string, unknown>): object {
    const {
      MetricDataQueries = [],
      StartTime,
      EndTime,
      MaxDatapoints = 100_800,
      NextToken,
    } = input as {
      MetricDataQueries?: Query[];
      StartTime?: number;
      EndTime?: number;
      MaxDatapoints?: number;
      NextToken?: string;
    };
    if (MetricDataQueries.length === 0 || MetricDataQueries.length > 500) {
      throw invalid('The collection MetricDataQueries must not have a size greater than 500.');
    }
    if (typeof StartTime !== 'number' || typeof EndTime !== 'number' || StartTime >= EndTime) {
      throw invalid('The parameter StartTime must be less than the parameter EndTime.');
    }
    if (MaxDatapoints > 100_800) throw invalid('MaxDatapoints');
    const ids = MetricDataQueries.map(({ Id = '' }) => Id);
    if (new Set(ids).size < ids.length || ids.some((id) => !/^[a-z][a-zA-Z0-9_]*$/.test(id))) throw invalid('Id');
    const all = MetricDataQueries.flatMap(({ Id, MetricStat }) => {
      if (!MetricStat) throw invalid('MetricStat');
      return this.#pointsOf(MetricStat, 1_000 * StartTime, 1_000 * EndTime).map((point) => ({ Id, ...point }));
    });
    const from = Number(NextToken ?? 0);
    if (!(from <= all.length)) throw new Refusal('InvalidNextToken', 'The next token specified is invalid.');
    const until = from + Math.min(this.pointsPerPage, MaxDatapoints);
    const page = all.slice(from, until);
    const status = this.statuses.shift();
    return {
      MetricDataResults: ids
        .map((Id) => ({ Id, points: page.filter((point) => point.Id === Id) }))
        // A page has the metrics that it has points of, and the last one also those that have none at all.
        .filter(({ Id, points }) => points.length > 0 || (until >= all.length && !all.some((point) => point.Id === Id)))
        .map(({ Id, points }) => ({
          Id,
          Label: Id,
          Timestamps: points.map(({ atMs }) => atMs / 1_000),
          Values: points.map(({ value }) => value),
          StatusCode: status ?? (all.slice(until).some((point) => point.Id === Id) ? 'PartialData' : 'Complete'),
        })),
      Messages: status ? [{ Code: 'Trouble', Value: 'Something went wrong.' }] : [],
      ...(until < all.length ? { NextToken: String(until) } : {}),
    };
  }

  #list(input: Record<string, unknown>): object {
    const { Namespace, MetricName, Dimensions = [], RecentlyActive, NextToken, ...others } = input as ListInput;
    const [unknown] = Object.keys(others);
    if (unknown) throw invalid(`This fake does not know ${unknown}.`);
    if (Dimensions.length > 10) throw invalid('The collection Dimensions must not have a size greater than 10.');
    if (RecentlyActive !== undefined && RecentlyActive !== 'PT3H') throw invalid(`RecentlyActive ${RecentlyActive}`);
    const sinceMs = this.now() - (RecentlyActive ? 3 * hourMs : 14 * dayMs);
    const all = [...this.#metrics]
      .filter(([, values]) => values.some(({ atMs }) => atMs >= sinceMs))
      .map(([key]) => metricOf(key))
      .filter((metric) => (Namespace ?? metric.Namespace) === metric.Namespace)
      .filter((metric) => (MetricName ?? metric.MetricName) === metric.MetricName)
      .filter((metric) => Dimensions.every((wanted) => metric.Dimensions.some((one) => hasDimension(one, wanted))));
    const from = Number(NextToken ?? 0);
    if (!(from <= all.length)) throw invalid('NextToken');
    const until = from + Math.min(this.metricsPerPage, 500);
    return { Metrics: all.slice(from, until), ...(until < all.length ? { NextToken: String(until) } : {}) };
  }

  #pointsOf({ Metric, Period, Stat }: NonNullable<Query['MetricStat']>, fromMs: number, toMs: number) {
    const ageMs = this.now() - fromMs;
    const least = ageMs > 63 * dayMs ? 3_600 : ageMs > 15 * dayMs ? 300 : 60;
    if (!(Period > 0) || Period % 60 !== 0) throw invalid(`Period ${Period}`);
    // What is kept by the hour has nothing to tell by the minute.
    if (Period % least !== 0) return [];
    const periodMs = 1_000 * Period;
    const values = (this.#metrics.get(keyOf(Metric.Namespace, Metric)) ?? []).filter(
      ({ atMs }) => atMs >= fromMs && atMs < toMs,
    );
    return [...Map.groupBy(values, ({ atMs }) => fromMs + Math.floor((atMs - fromMs) / periodMs) * periodMs)]
      .sort(([a], [b]) => a - b)
      .map(([atMs, several]) => ({ atMs, value: statisticOf(several, Stat) }));
  }
}

function operationOf(request: IncomingMessage): string {
  const signed =
    /^AWS4-HMAC-SHA256 Credential=\S+\/[\w-]+\/monitoring\/aws4_request, SignedHeaders=\S+, Signature=[\da-f]{64}$/;
  if (!signed.test(request.headers.authorization ?? '')) {
    throw new Refusal('MissingAuthenticationToken', 'Request is missing Authentication Token', 403);
  }
  const operation = target.exec(String(request.headers['x-amz-target']))?.[1];
  if (request.method !== 'POST' || request.url !== '/' || !operation) {
    throw new Refusal(
      'UnknownOperationException',
      `${request.method} ${request.url} ${request.headers['x-amz-target']}`,
      404,
    );
  }
  if (request.headers['content-type'] !== 'application/x-amz-json-1.0') throw invalid('Content-Type');
  return operation;
}

function keyOf(namespace: string, { MetricName, Dimensions = [] }: Pick<Datum, 'MetricName' | 'Dimensions'>): string {
  if (Dimensions.length > 30) throw invalid('Dimensions');
  const pairs = Dimensions.map(({ Name, Value }) => {
    if (typeof Name !== 'string' || !/^[\x21-\x7e]{1,255}$/.test(Name) || Name.startsWith(':')) throw invalid('Name');
    if (typeof Value !== 'string' || !/^[\x20-\x7e]{1,1024}$/.test(Value) || Value.trim() === '')
      throw invalid('Value');
    return `${Name}=${Value}`;
  });
  return JSON.stringify([namespace, MetricName, ...pairs.sort()]);
}

function metricOf(key: string): {
  Namespace: string;
  MetricName: string;
  Dimensions: { Name: string; Value: string }[];
} {
  const [Namespace = '', MetricName = '', ...pairs] = JSON.parse(key) as string[];
  const Dimensions = pairs.map((pair) => {
    const place = pair.indexOf('=');
    return { Name: pair.slice(0, place), Value: pair.slice(place + 1) };
  });
  return { Namespace, MetricName, Dimensions };
}

function hasDimension(one: { Name: string; Value: string }, wanted: { Name?: string; Value?: string }): boolean {
  return one.Name === wanted.Name && (wanted.Value ?? one.Value) === one.Value;
}

function statisticOf(values: readonly Value[], stat: string): number {
  const sorted = values.toSorted((a, b) => a.value - b.value);
  const count = sorted.reduce((total, { count }) => total + count, 0);
  const sum = sorted.reduce((total, { value, count }) => total + value * count, 0);
  if (stat === 'SampleCount') return count;
  if (stat === 'Sum') return sum;
  if (stat === 'Average') return sum / count;
  if (stat === 'Minimum') return sorted[0]?.value ?? 0;
  if (stat === 'Maximum') return sorted.at(-1)?.value ?? 0;
  const percent = Number(/^p(\d+(\.\d{1,10})?)$/.exec(stat)?.[1]);
  if (!(percent <= 100)) throw invalid(`Stat ${stat}`);
  let seen = 0;
  return (
    sorted.find(({ count: times }) => {
      seen += times;
      return seen >= (percent / 100) * count;
    })?.value ?? 0
  );
}

function invalid(message: string): Refusal {
  return new Refusal('InvalidParameterValueException', message);
}

function refuse(fault: Fault): never {
  switch (fault) {
    case 'throttle':
      throw new Refusal('ThrottlingException', 'Rate exceeded');
    case 'denied':
      throw new Refusal('AccessDeniedException', 'User: arn:aws:iam::123456789012:user/ci is not authorized.', 403);
    default:
      throw new Refusal('InternalServiceFault', 'The request processing has failed.', 500);
  }
}
