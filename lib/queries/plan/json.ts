import * as z from 'zod';
import { StreamGateError } from '../../errors.ts';
import { type Buffers, type Conditions, nodesOf, type Plan, type PlanNode, relationships } from './tree.ts';

/** Nodes below one another that are read: what checks and stores plans goes down with the stack, which ends above 450. */
const maxDepth = 300;

// A number that is no figure of any plan would become infinite where it is multiplied.
const Cost = z.number();
const Rows = z.number().min(0).max(1e100);
const Count = z.number().min(0).max(1e15);
const Milliseconds = z.number().min(0).max(1e15);
const Text = z.string();
const Texts = z.array(z.string());

/** What a process of a node tells of itself: the leader in the node, each other one in its `Workers`. */
const Process = z.object({
  'Sort Method': Text.optional(),
  'Sort Space Type': z.enum(['Memory', 'Disk']).optional(),
  'Sort Space Used': Count.optional(),
  'Full-sort Groups': z.lazy(() => SortGroups).optional(),
  'Pre-sorted Groups': z.lazy(() => SortGroups).optional(),
  'HashAgg Batches': Count.optional(),
  'Disk Usage': Count.optional(),
  'Peak Memory Usage': Count.optional(),
  'Cache Hits': Count.optional(),
  'Cache Misses': Count.optional(),
  'Cache Evictions': Count.optional(),
  'Cache Overflows': Count.optional(),
  'Exact Heap Blocks': Count.optional(),
  'Lossy Heap Blocks': Count.optional(),
});
type Process = z.infer<typeof Process>;

/** An incremental sort sorts group by group. */
const SortGroups = z.object({
  'Sort Methods Used': Texts,
  'Sort Space Memory': z.object({ 'Peak Sort Space Used': Count }).optional(),
  'Sort Space Disk': z.object({ 'Peak Sort Space Used': Count }).optional(),
});
type SortGroups = z.infer<typeof SortGroups>;

const JsonNode = Process.extend({
  'Node Type': Text,
  'Parent Relationship': Text.optional(),
  'Subplan Name': Text.optional(),
  'Custom Plan Provider': Text.optional(),
  Schema: Text.optional(),
  'Relation Name': Text.optional(),
  Alias: Text.optional(),
  'Index Name': Text.optional(),
  'CTE Name': Text.optional(),
  'Function Name': Text.optional(),
  'Table Function Name': Text.optional(),
  Operation: Text.optional(),
  'Join Type': Text.optional(),
  Strategy: Text.optional(),
  'Partial Mode': Text.optional(),
  'Scan Direction': Text.optional(),
  'Parallel Aware': z.boolean().optional(),
  'Inner Unique': z.boolean().optional(),
  Disabled: z.boolean().optional(),
  'Startup Cost': Cost,
  'Total Cost': Cost,
  'Plan Rows': Rows,
  'Plan Width': Count,
  'Actual Rows': Rows.optional(),
  'Actual Loops': Count.optional(),
  'Actual Startup Time': Milliseconds.optional(),
  'Actual Total Time': Milliseconds.optional(),
  Filter: Text.optional(),
  'Index Cond': Text.optional(),
  'Recheck Cond': Text.optional(),
  'Join Filter': Text.optional(),
  'Hash Cond': Text.optional(),
  'Merge Cond': Text.optional(),
  'One-Time Filter': Text.optional(),
  'TID Cond': Text.optional(),
  'Order By': Text.optional(),
  'Run Condition': Text.optional(),
  'Rows Removed by Filter': Rows.optional(),
  'Rows Removed by Join Filter': Rows.optional(),
  'Rows Removed by Index Recheck': Rows.optional(),
  'Sort Key': Texts.optional(),
  'Presorted Key': Texts.optional(),
  'Group Key': Texts.optional(),
  'Grouping Sets': z
    .array(z.object({ 'Group Keys': z.array(Texts).optional(), 'Hash Keys': z.array(Texts).optional() }))
    .optional(),
  'Hash Buckets': Count.optional(),
  'Hash Batches': Count.optional(),
  'Original Hash Batches': Count.optional(),
  'Heap Fetches': Count.optional(),
  'Index Searches': Count.optional(),
  'Workers Planned': Count.optional(),
  'Workers Launched': Count.optional(),
  'Subplans Removed': Count.optional(),
  'Shared Hit Blocks': Count.optional(),
  'Shared Read Blocks': Count.optional(),
  'Shared Dirtied Blocks': Count.optional(),
  'Shared Written Blocks': Count.optional(),
  'Local Hit Blocks': Count.optional(),
  'Local Read Blocks': Count.optional(),
  'Temp Read Blocks': Count.optional(),
  'Temp Written Blocks': Count.optional(),
  Workers: z.array(Process).optional(),
  // Read one by one: a schema that goes down by itself would exhaust the stack.
  Plans: z.array(z.unknown()).optional(),
});
type JsonNode = z.infer<typeof JsonNode>;

const JsonPlan = z.object({
  Plan: z.unknown(),
  'Planning Time': Milliseconds.optional(),
  'Execution Time': Milliseconds.optional(),
  JIT: z.object({ Functions: Count, Timing: z.object({ Total: Milliseconds }).optional() }).optional(),
  Triggers: z
    .array(
      z.object({
        'Trigger Name': Text.optional(),
        'Constraint Name': Text.optional(),
        Relation: Text,
        Time: Milliseconds.optional(),
        Calls: Count,
      }),
    )
    .optional(),
  Settings: z.record(z.string(), z.string().nullable()).optional(),
});
type JsonPlan = z.infer<typeof JsonPlan>;

/**
 * Reads what `EXPLAIN (FORMAT JSON)` answers, parsed, of PostgreSQL 13 to 18 with any option but COSTS OFF: the array, or the
 * object in it, which is also what auto_explain logs. Of several plans (a rule rewrote the statement) the first one counts.
 *
 * Where a sort, a Memoize, a hashed Aggregate or a bitmap scan tells of its workers one by one, counts and disk space are
 * added up, and memory is that of the process that took most. Triggers that tell no time are left out.
 *
 * @throws StreamGateError `plan-invalid`
 */
export function readJsonPlan(value: unknown): Plan {
  const first: unknown = Array.isArray(value) ? value[0] : value;
  if (typeof first !== 'object' || first === null || !('Plan' in first)) {
    throw invalidPlan('there is no "Plan" in it. Utility statements have none');
  }
  const document = checked(JsonPlan, first);
  const root = readNodes(document.Plan);
  const plan: Plan = defined({
    root,
    planningMs: document['Planning Time'],
    executionMs: document['Execution Time'],
    jit: document.JIT && defined({ functions: document.JIT.Functions, totalMs: document.JIT.Timing?.Total }),
    triggers: triggersOf(document),
    settings: settingsOf(document),
  });
  completeBuffers(plan);
  return plan;
}

/** The failure of all that reads plans. `reason` ends without a full stop, and holds nothing of the plan. */
export function invalidPlan(reason: string): StreamGateError {
  return new StreamGateError('plan-invalid', `The plan cannot be read: ${reason}.`);
}

/** Checks a value against a schema. What was found in its place is not told: it may be a literal of the query. */
function checked<Schema extends z.ZodType>(schema: Schema, value: unknown): z.infer<Schema> {
  const { data, error } = schema.safeParse(value);
  if (!error) return data as z.infer<Schema>;
  const [issue] = error.issues;
  const key = issue?.path[0];
  if (issue === undefined || key === undefined) throw invalidPlan('a node is not an object');
  const isMissing = !(key in (value as object));
  if (isMissing && /Cost|Rows|Width/.test(String(key))) {
    throw invalidPlan(`a node has no "${String(key)}". Run EXPLAIN without COSTS OFF`);
  }
  const problem = isMissing ? 'is missing' : 'holds what EXPLAIN never writes there';
  throw invalidPlan(`"${String(key)}" ${problem}`);
}

/** Reads a node and all below it, with a list: plans may be nested deeper than the stack. */
function readNodes(value: unknown): PlanNode {
  const top: PlanNode[] = [];
  const left: Array<{ value: unknown; siblings: PlanNode[]; depth: number; member?: PlanNode['relationship'] }> = [
    { value, siblings: top, depth: 1 },
  ];
  for (let at = left.pop(); at; at = left.pop()) {
    if (at.depth > maxDepth) throw invalidPlan(`it is more than ${maxDepth} nodes deep`);
    const json = checked(JsonNode, at.value);
    const node = readNode(json, at.member);
    at.siblings.push(node);
    const below = { siblings: node.children, depth: at.depth + 1, member: memberOf(json) };
    for (const child of (json.Plans ?? []).toReversed()) left.push({ value: child, ...below });
  }
  return top[0] as PlanNode;
}

function readNode(json: JsonNode, member: PlanNode['relationship']): PlanNode {
  const processes: Process[] = [json, ...(json.Workers ?? [])];
  const conditions = conditionsOf(json);
  const actual = actualOf(json);
  const relation = json['Relation Name'];
  const sorts = processes.flatMap(sortsOf);
  return defined<PlanNode>({
    type: json['Node Type'],
    relationship: relationshipOf(json, member),
    subplan: json['Subplan Name'],
    provider: json['Custom Plan Provider'],
    relation:
      relation === undefined
        ? undefined
        : defined({ schema: json.Schema, name: relation, alias: json.Alias ?? relation }),
    index: json['Index Name'],
    cteName: json['CTE Name'],
    functionName: json['Function Name'] ?? json['Table Function Name'],
    alias: relation === undefined ? json.Alias : undefined,
    // What a foreign scan does, unless it changes rows at the other server, is plain.
    operation: json.Operation === 'Select' ? undefined : json.Operation,
    joinType: json['Join Type'],
    strategy: json.Strategy,
    partialMode: json['Partial Mode'],
    scanDirection: json['Scan Direction'],
    parallelAware: json['Parallel Aware'] ?? false,
    innerUnique: json['Inner Unique'],
    disabled: json.Disabled === true ? true : undefined,
    estimate: {
      startupCost: json['Startup Cost'],
      totalCost: json['Total Cost'],
      rows: json['Plan Rows'],
      width: json['Plan Width'],
    },
    actual,
    conditions,
    removed: removedOf(json, conditions),
    sortKey: json['Sort Key'],
    presortedKey: json['Presorted Key'],
    groupKey: groupKeyOf(json),
    sorts: sorts.length > 0 ? sorts : undefined,
    hash: hashOf(json),
    hashAggregate: hashAggregateOf(processes),
    heapFetches: json['Heap Fetches'],
    heapBlocks: json['Node Type'] === 'Bitmap Heap Scan' && actual ? heapBlocksOf(processes) : undefined,
    workers:
      json['Workers Planned'] === undefined
        ? undefined
        : defined({ planned: json['Workers Planned'], launched: json['Workers Launched'] }),
    memoize: memoizeOf(processes),
    indexSearches: json['Index Searches'],
    subplansRemoved: json['Subplans Removed'] || undefined,
    // Without ANALYZE these are zero, and mean nothing.
    buffers: actual && buffersOf(json),
    children: [],
  });
}

/** What a member of a node is to it. Before PostgreSQL 14 the one source of a ModifyTable was called so, later it is an outer plan. */
function memberOf({ 'Node Type': type, Plans = [] }: JsonNode): PlanNode['relationship'] {
  if (type !== 'ModifyTable') return 'Member';
  const members = Plans.filter((child) => (child as JsonNode | null)?.['Parent Relationship'] === 'Member');
  return members.length === 1 ? 'Outer' : 'Member';
}

function relationshipOf(json: JsonNode, member: PlanNode['relationship']): PlanNode['relationship'] {
  const told = json['Parent Relationship'];
  // The last two are the words of custom scans.
  if (told === 'Member' || told === 'child' || told === 'children') return member;
  return relationships.find((known) => known === told);
}

function actualOf(json: JsonNode): PlanNode['actual'] {
  const { 'Actual Rows': rows, 'Actual Loops': loops } = json;
  if (rows === undefined || loops === undefined) return undefined;
  // What never ran took no time, whether or not time was measured.
  const unmeasured = loops === 0 ? 0 : null;
  return {
    rows,
    loops,
    startupMs: json['Actual Startup Time'] ?? unmeasured,
    totalMs: json['Actual Total Time'] ?? unmeasured,
  };
}

function conditionsOf(json: JsonNode): Conditions {
  return defined({
    filter: json.Filter,
    index: json['Index Cond'],
    recheck: json['Recheck Cond'],
    joinFilter: json['Join Filter'],
    hash: json['Hash Cond'],
    merge: json['Merge Cond'],
    oneTime: json['One-Time Filter'],
    tid: json['TID Cond'],
    orderBy: json['Order By'],
    run: json['Run Condition'],
  });
}

/** The text format leaves out a count of zero, but a condition that was checked always has a count. */
function removedOf(json: JsonNode, conditions: Conditions): PlanNode['removed'] {
  const none = (checkedOn: string | undefined) =>
    json['Actual Loops'] !== undefined && checkedOn !== undefined ? 0 : undefined;
  const rechecked =
    conditions.recheck ?? (/^Index (Only )?Scan$/.test(json['Node Type']) ? conditions.index : undefined);
  return defined({
    filter: json['Rows Removed by Filter'] ?? none(conditions.filter),
    joinFilter: json['Rows Removed by Join Filter'] ?? none(conditions.joinFilter),
    recheck: json['Rows Removed by Index Recheck'] ?? none(rechecked),
  });
}

/** The keys of all grouping sets together, each once. */
function groupKeyOf(json: JsonNode): string[] | undefined {
  const sets = (json['Grouping Sets'] ?? []).flatMap((set) => [
    ...(set['Group Keys'] ?? []),
    ...(set['Hash Keys'] ?? []),
  ]);
  const keys = [...new Set([...(json['Group Key'] ?? []), ...sets.flat()])];
  return keys.length > 0 ? keys : undefined;
}

function sortsOf(process: Process): NonNullable<PlanNode['sorts']> {
  const { 'Sort Method': method, 'Sort Space Type': space, 'Sort Space Used': kilobytes } = process;
  const whole = method && space && kilobytes !== undefined ? [{ method, space, kilobytes }] : [];
  const groups = [process['Full-sort Groups'], process['Pre-sorted Groups']].filter((group) => group !== undefined);
  return [...whole, ...groups.flatMap(groupSorts)];
}

/** The methods of an incremental sort share a figure for each kind of space: the most that a group took. */
function groupSorts(groups: SortGroups): NonNullable<PlanNode['sorts']> {
  return groups['Sort Methods Used'].map((method) => {
    const space = method.startsWith('external') ? 'Disk' : 'Memory';
    return { method, space, kilobytes: groups[`Sort Space ${space}`]?.['Peak Sort Space Used'] ?? 0 };
  });
}

function hashOf(json: JsonNode): PlanNode['hash'] {
  const { 'Hash Buckets': buckets, 'Hash Batches': batches } = json;
  if (buckets === undefined || batches === undefined) return undefined;
  return {
    buckets,
    batches,
    originalBatches: json['Original Hash Batches'] ?? batches,
    memoryKilobytes: json['Peak Memory Usage'] ?? 0,
  };
}

function hashAggregateOf(processes: Process[]): PlanNode['hashAggregate'] {
  const aggregated = processes.filter((process) => process['HashAgg Batches'] !== undefined);
  if (aggregated.length === 0) return undefined;
  return {
    batches: most(aggregated, 'HashAgg Batches'),
    memoryKilobytes: most(aggregated, 'Peak Memory Usage'),
    diskKilobytes: sum(aggregated, 'Disk Usage'),
  };
}

function memoizeOf(processes: Process[]): PlanNode['memoize'] {
  const cached = processes.filter((process) => process['Cache Misses'] !== undefined);
  if (cached.length === 0) return undefined;
  return {
    hits: sum(cached, 'Cache Hits'),
    misses: sum(cached, 'Cache Misses'),
    evictions: sum(cached, 'Cache Evictions'),
    overflows: sum(cached, 'Cache Overflows'),
    memoryKilobytes: most(cached, 'Peak Memory Usage'),
  };
}

function heapBlocksOf(processes: Process[]): PlanNode['heapBlocks'] {
  return { exact: sum(processes, 'Exact Heap Blocks'), lossy: sum(processes, 'Lossy Heap Blocks') };
}

type Figure = {
  [Key in keyof Process]-?: number extends Exclude<Process[Key], undefined> ? Key : never;
}[keyof Process];

function sum(processes: Process[], figure: Figure): number {
  return processes.reduce((total, process) => total + (process[figure] ?? 0), 0);
}

function most(processes: Process[], figure: Figure): number {
  return processes.reduce((largest, process) => Math.max(largest, process[figure] ?? 0), 0);
}

function buffersOf(json: JsonNode): Buffers | undefined {
  const told = Object.keys(json).some((key) => /^(Shared|Local|Temp) \w+ Blocks$/.test(key));
  return told ? { ...noBuffers, ...definedBuffers(json) } : undefined;
}

const noBuffers: Buffers = {
  sharedHit: 0,
  sharedRead: 0,
  sharedDirtied: 0,
  sharedWritten: 0,
  localHit: 0,
  localRead: 0,
  tempRead: 0,
  tempWritten: 0,
};

function definedBuffers(json: JsonNode): Partial<Buffers> {
  return defined({
    sharedHit: json['Shared Hit Blocks'],
    sharedRead: json['Shared Read Blocks'],
    sharedDirtied: json['Shared Dirtied Blocks'],
    sharedWritten: json['Shared Written Blocks'],
    localHit: json['Local Hit Blocks'],
    localRead: json['Local Read Blocks'],
    tempRead: json['Temp Read Blocks'],
    tempWritten: json['Temp Written Blocks'],
  }) as Partial<Buffers>;
}

/** The text format leaves out blocks where there are none: once one node tells of blocks, silence means zero. */
function completeBuffers(plan: Plan): void {
  const nodes = [...nodesOf(plan)].map(({ node }) => node);
  if (!nodes.some((node) => node.buffers)) return;
  for (const node of nodes) if (node.actual) node.buffers ??= { ...noBuffers };
}

function triggersOf({ Triggers }: JsonPlan): Plan['triggers'] {
  const triggers = (Triggers ?? []).flatMap((trigger) =>
    trigger.Time === undefined
      ? []
      : [
          {
            // The triggers behind a foreign key have names that nobody gave them.
            name: trigger['Constraint Name'] ?? trigger['Trigger Name'] ?? '',
            relation: trigger.Relation,
            calls: trigger.Calls,
            totalMs: trigger.Time,
          },
        ],
  );
  return triggers.length > 0 ? triggers : undefined;
}

function settingsOf({ Settings = {} }: JsonPlan): Plan['settings'] {
  const settings = Object.entries(Settings).filter((setting): setting is [string, string] => setting[1] !== null);
  return settings.length > 0 ? Object.fromEntries(settings) : undefined;
}

/** Leaves out what is undefined: plans are stored as JSON and compared. */
function defined<Fields extends object>(fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as Fields;
}
