/**
 * What all rules over plans share: each looks at every plan, and tells of each subject once, however often it occurs.
 *
 * - sighting: one place in one plan where the rule's fault shows.
 * - share: the part of the statement's time that goes to that place; of its estimated cost, where nothing was measured.
 */
import * as z from 'zod';
import type { Finding, Subject } from '../../../advice/finding.ts';
import { type Draft, defineRule, type Rule } from '../../../advice/rule.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';
import { nodesOf, type PlanNode } from '../tree.ts';
import { contextsOf, type PlanContext } from './context.ts';
import { shareOf } from './share.ts';

const day = 86_400_000;

/** A node with its ancestors, nearest first. */
export interface Place {
  node: PlanNode;
  ancestors: readonly PlanNode[];
}

/** A table; the schema where it is known. */
export interface TableName {
  schema?: string | undefined;
  table: string;
}

/** A fault at one place of a plan. Of several with one subject, the one with the greatest weight is told. */
export interface Sighting extends Pick<Draft, 'severity' | 'title' | 'detail'> {
  /** What the finding is about besides the statement. */
  table?: TableName | undefined;
  index?: string | undefined;
  weight: number;
  /** 0 to 1; that of the node alone where nothing is said. */
  share?: number | undefined;
  evidence: Evidence;
  action?: Finding['action'] | undefined;
}

type Parts<Options extends object> = Omit<Rule<QueryInput, Options>, 'check' | 'docs'>;

/** Makes a rule from a look at a whole plan. */
export function definePlanRule<Options extends object>({
  inspect,
  ...parts
}: Parts<Options> & {
  inspect(context: PlanContext, options: Options): Iterable<Sighting>;
}): Rule<QueryInput, Options> {
  return defineRule({
    ...parts,
    check(input: QueryInput, options) {
      const seen = new Map<string, { subject: Subject; worst: Sighting; context: PlanContext; places: number }>();
      for (const context of contextsOf(input)) {
        for (const sighting of inspect(context, options)) {
          const subject = subjectOf(context, sighting);
          const key = JSON.stringify(subject);
          const before = seen.get(key);
          const places = (before?.places ?? 0) + 1;
          const worst = before && before.worst.weight >= sighting.weight ? before.worst : sighting;
          seen.set(key, { subject, worst, context, places });
        }
      }
      return [...seen.values()].map(({ subject, worst, context, places }) => draft(subject, worst, context, places));
    },
  });
}

/** Makes a rule from a look at each node. What takes less than `minSharePercent` of the statement's time is not worth a word. */
export function defineNodeRule<Options extends { minSharePercent: number }>({
  inspect,
  ...parts
}: Parts<Options> & {
  inspect(place: Place, context: PlanContext, options: Options): Sighting | undefined;
}): Rule<QueryInput, Options> {
  return definePlanRule({
    ...parts,
    *inspect(context, options) {
      for (const place of nodesOf(context.plan)) {
        const sighting = inspect(place, context, options);
        if (!sighting) continue;
        const share = sighting.share ?? shareOf(place, context.plan);
        if (share * 100 >= options.minSharePercent) yield { ...sighting, share };
      }
    },
  });
}

/** The option of {@link defineNodeRule}. The default is pev2's bound from which a share of the time is marked. */
export const minSharePercent = z.number().min(0).max(100).default(10);

function subjectOf({ input, explained }: PlanContext, { table, index }: Sighting): Subject {
  return {
    database: input.server.database,
    queryId: explained.queryId,
    ...(table?.schema === undefined ? {} : { schema: table.schema }),
    ...(table === undefined ? {} : { table: table.table }),
    ...(index === undefined ? {} : { index }),
  };
}

function draft(subject: Subject, worst: Sighting, { input, plan, statement }: PlanContext, places: number): Draft {
  const { severity, title, detail, evidence, action, share } = worst;
  const gain = statement && share !== undefined ? share * msPerDay(input, statement) : Number.NaN;
  const told: Evidence = {
    ...(statement ? { statement: statement.query } : {}),
    figures: plan.root.actual ? 'measured' : 'estimated',
    ...(places > 1 ? { places } : {}),
    ...(share === undefined ? {} : { sharePercent: share * 100 }),
    ...evidence,
  };
  return {
    ...(severity === undefined ? {} : { severity }),
    subject,
    title,
    detail: `${detail}${places > 1 ? ` The statement has ${places} such places; this is the worst.` : ''}`,
    evidence: Object.fromEntries(Object.entries(told).flatMap(([name, value]) => legible(name, value))),
    ...(Number.isFinite(gain) ? { impact: { msPerDay: Math.round(gain) } } : {}),
    ...(action ? { action } : {}),
  };
}

type Evidence = Finding['evidence'];

/** Two decimals. A figure that is none, as plans from elsewhere may hold, is left out. */
function legible(name: string, value: string | number): [string, string | number][] {
  if (typeof value === 'string') return [[name, value]];
  return Number.isFinite(value) ? [[name, Math.abs(value) < 1e12 ? Math.round(value * 100) / 100 : value]] : [];
}

/** A statement's time in an average day, where its counters are at least an hour old; else NaN. */
function msPerDay({ takenAt }: QueryInput, { since, totalMs }: Statement): number {
  const age = since === null ? Number.NaN : Date.parse(takenAt) - Date.parse(since);
  return age >= day / 24 ? (totalMs / age) * day : Number.NaN;
}
