/** Why nothing is told of any function: before the first one has left a sample, or where none is monitored. */
import type { Note } from '../postgres/server.ts';
import { type PooledFunction, summarizePooled } from './from-metrics.ts';
import { resourceRules } from './rules/index.ts';
import type { Series } from './sample.ts';

/** What is known of functions, and what is said of that. */
interface Known {
  series: readonly Series[];
  pooled: readonly PooledFunction[];
  notes: Note[];
}

/** All domains of the rules over functions, none of which has found anything. */
const rules = [...new Set(resourceRules.map(({ id }) => `${id.slice(0, id.indexOf('/'))}/*`))].sort();

const message =
  'No function has left samples in the last day. The functions of StreamGate do when they are called some ten times. In a function of yours, put monitor() of "streamgate/monitor" around the handler: docs/guides/monitor.md. Its metrics are found where STREAMGATE_METRICS is "cloudwatch", as it is on Lambda, and where the audit may call cloudwatch:ListMetrics and cloudwatch:GetMetricData.';

/** The same with the note `samples-missing` where there is no function to tell of. */
export function withSamplesMissing<Functions extends Known>(known: Functions): Functions {
  const { series, pooled, notes } = known;
  if (series.some(({ samples }) => samples.length > 0) || pooled.some((each) => summarizePooled(each))) return known;
  return { ...known, notes: [...notes, { code: 'samples-missing', rules, message }] };
}
