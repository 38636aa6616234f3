/** How series are asked for with GetMetricData, and put together from its pages. */
import type { MetricPoint, SeriesQuery, Span } from '../metrics.ts';
import type { CallOptions, CloudWatchApi, GetMetricDataOutput, Message, MetricDataQuery } from './api.ts';
import { chunksOf, dimensionsOf } from './write.ts';

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/APIReference/API_GetMetricData.html */
const mostQueries = 500;
const mostPoints = 100_800;

/** What fails at first is asked for once more. */
const attempts = 2;

/** No answer has more pages: 500 series of 15 days by the minute have 108. */
const mostPages = 500;

/** What was found of a query. */
interface Found {
  points: Map<number, number>;
  isComplete: boolean;
}

/** What is asked of CloudWatch. */
interface Question {
  namespace: string;
  span: Span;
  options: CallOptions;
}

/** The points of each query, in the order of the queries, and what CloudWatch said about them. */
export async function readSeries(
  api: CloudWatchApi,
  queries: readonly SeriesQuery[],
  question: Question,
): Promise<{ series: { points: MetricPoint[]; isComplete: boolean }[]; notes: string[] }> {
  const found: Found[] = queries.map(() => ({ points: new Map(), isComplete: false }));
  const notes = new Set<string>();
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const missing = queries
      .map((query, place) => ({ query, place }))
      .filter(({ place }) => !found[place]?.isComplete)
      .map(({ query, place }) => asked(query, place, question));
    // Those of a chunk share its limit of points, and its pages.
    for (const chunk of chunksOf(missing, mostQueries)) await readPages(api, chunk, question, found, notes);
  }
  return {
    series: found.map(({ points, isComplete }) => ({
      points: [...points].sort(([a], [b]) => a - b).map(([at, value]) => ({ at, value })),
      isComplete,
    })),
    notes: [...notes],
  };
}

function asked({ name, dimensions, statistic }: SeriesQuery, place: number, { namespace, span }: Question) {
  return {
    Id: `q${place}`,
    MetricStat: {
      Metric: { Namespace: namespace, MetricName: name, Dimensions: dimensionsOf(dimensions) },
      Period: span.periodMs / 1_000,
      Stat: statistic,
    },
  } satisfies MetricDataQuery;
}

async function readPages(
  api: CloudWatchApi,
  queries: MetricDataQuery[],
  { span, options }: Question,
  found: readonly Found[],
  notes: Set<string>,
): Promise<void> {
  let token: string | undefined;
  for (let page = 1; page <= mostPages; page++) {
    const answer = await api.getMetricData(
      {
        MetricDataQueries: queries,
        StartTime: new Date(span.from),
        EndTime: new Date(span.to),
        ScanBy: 'TimestampAscending',
        MaxDatapoints: mostPoints,
        ...(token === undefined ? {} : { NextToken: token }),
      },
      options,
    );
    take(answer, found, notes);
    token = answer.NextToken;
    if (!token) return;
  }
  notes.add(`CloudWatch's answer has more than ${mostPages} pages; the rest was left.`);
}

/** The status of a result is that of its last page. */
function take({ MetricDataResults = [], Messages }: GetMetricDataOutput, found: readonly Found[], notes: Set<string>) {
  note(Messages, notes);
  for (const { Id, Timestamps = [], Values = [], StatusCode, Messages } of MetricDataResults) {
    note(Messages, notes);
    const one = found[Number(Id?.slice(1))];
    if (!one) continue;
    one.isComplete = StatusCode === 'Complete';
    for (const [place, at] of Timestamps.entries()) {
      const value = Values[place];
      if (value !== undefined) one.points.set(at.getTime(), value);
    }
  }
}

function note(messages: readonly Message[] | undefined, notes: Set<string>): void {
  for (const { Code, Value } of messages ?? []) notes.add([Code, Value].filter(Boolean).join(': '));
}
