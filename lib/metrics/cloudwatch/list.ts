/** How functions are found with ListMetrics. */
import { isDimensionValue } from '../checks.ts';
import { listOf } from '../list.ts';
import { type Dimensions, type FunctionList, metricOfAll, mostFunctions } from '../metrics.ts';
import type { CallOptions, CloudWatchApi, ListMetricsOutput } from './api.ts';

/** A page may hold next to nothing: metrics of other dimensions are left out of it. */
const mostPages = 20;

const hourMs = 3_600_000;

/** What is asked of CloudWatch. */
interface Question {
  namespace: string;
  /** How long ago it may be that a function wrote, in milliseconds. */
  ageMs: number;
  options: CallOptions;
}

/** The functions whose metrics have these three dimensions and no other. */
export async function listFunctions(
  api: CloudWatchApi,
  { namespace, ageMs, options }: Question,
): Promise<FunctionList> {
  const found = new Map<string, Dimensions>();
  let token: string | undefined;
  for (let page = 1; page <= mostPages && found.size <= mostFunctions; page++) {
    const answer = await api.listMetrics(
      {
        Namespace: namespace,
        MetricName: metricOfAll,
        Dimensions: ['service', 'function', 'stage'].map((Name) => ({ Name })),
        ...(ageMs <= 3 * hourMs ? { RecentlyActive: 'PT3H' as const } : {}),
        ...(token === undefined ? {} : { NextToken: token }),
      },
      options,
    );
    for (const dimensions of dimensionsIn(answer)) found.set(JSON.stringify(Object.values(dimensions)), dimensions);
    token = answer.NextToken;
    if (!token) break;
  }
  return listOf([...found.values()], token === undefined);
}

function dimensionsIn({ Metrics = [] }: ListMetricsOutput): Dimensions[] {
  return Metrics.flatMap(({ Dimensions = [] }) => {
    const {
      service,
      function: name,
      stage,
      ...others
    } = Object.fromEntries(Dimensions.map(({ Name = '', Value }) => [Name, Value]));
    const isOurs = [service, name, stage].every(isDimensionValue) && Object.keys(others).length === 0;
    return isOurs ? [{ service, function: name, stage } as Dimensions] : [];
  });
}
