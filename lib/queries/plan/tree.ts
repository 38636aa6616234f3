/**
 * A plan as PostgreSQL's EXPLAIN tells it, in the words of its JSON format but with one shape, whether it was read
 * from JSON (json.ts) or from text (text.ts). What EXPLAIN left out is absent.
 *
 * - estimate: what the planner expected; actual: what ANALYZE measured, if it ran.
 * - loops: how often a node was run; `rows` and times of `actual` are means over its loops, as EXPLAIN gives them.
 * - InitPlan: runs once; SubPlan: runs for each row that needs it.
 *
 * https://www.postgresql.org/docs/current/using-explain.html
 */
import * as z from 'zod';

/** What a node measured, when the statement was really run. */
export const Actual = z.strictObject({
  /** Mean over the loops; before PostgreSQL 18 rounded to a whole number. */
  rows: z.number(),
  /** 0: never executed. In a parallel part each worker counts. */
  loops: z.number(),
  /** Mean over the loops, the children included; null with TIMING OFF. */
  startupMs: z.number().nullable(),
  totalMs: z.number().nullable(),
});
export type Actual = z.infer<typeof Actual>;

/** Blocks that a node touched, its children included. */
export const Buffers = z.strictObject({
  sharedHit: z.number(),
  sharedRead: z.number(),
  sharedDirtied: z.number(),
  sharedWritten: z.number(),
  localHit: z.number(),
  localRead: z.number(),
  tempRead: z.number(),
  tempWritten: z.number(),
});
export type Buffers = z.infer<typeof Buffers>;

/** The conditions of a node, as PostgreSQL prints them. */
export const Conditions = z.strictObject({
  /** Checked on every row that the node has read. */
  filter: z.string().optional(),
  /** Looked up in the index. */
  index: z.string().optional(),
  /** Checked again where a bitmap or an index is not exact. */
  recheck: z.string().optional(),
  joinFilter: z.string().optional(),
  hash: z.string().optional(),
  merge: z.string().optional(),
  /** Decides once whether the node runs at all. */
  oneTime: z.string().optional(),
  tid: z.string().optional(),
  /** What an index scan orders by, as in nearest-neighbour searches. */
  orderBy: z.string().optional(),
  /** The RUN CONDITION of a window function. */
  run: z.string().optional(),
});
export type Conditions = z.infer<typeof Conditions>;

/** How a node came to be below its parent. */
export const relationships = ['Outer', 'Inner', 'Member', 'Subquery', 'InitPlan', 'SubPlan'] as const;

/** One node of a plan. Costs are in the planner's unit, times in milliseconds. */
export interface PlanNode {
  /** `Seq Scan`, `Nested Loop`, `Sort`, … as in the JSON format: `Aggregate` whatever its strategy. */
  type: string;
  relationship?: (typeof relationships)[number] | undefined;
  /** The name of an InitPlan or SubPlan, such as `SubPlan 1` or `CTE recent`. */
  subplan?: string | undefined;
  /** Of a `Custom Scan`: the extension's name for it, such as `ChunkAppend`. */
  provider?: string | undefined;
  /** What is scanned or modified. The schema is told by VERBOSE only. */
  relation?: { schema?: string | undefined; name: string; alias: string } | undefined;
  index?: string | undefined;
  /** The CTE, function or subquery alias that is scanned. */
  cteName?: string | undefined;
  functionName?: string | undefined;
  alias?: string | undefined;
  /** `Insert`, `Update`, `Delete` or `Merge` of a ModifyTable. */
  operation?: string | undefined;
  /** `Inner`, `Left`, `Full`, `Right`, `Semi`, `Anti`, `Right Semi`, `Right Anti`. */
  joinType?: string | undefined;
  /** Of an Aggregate or SetOp: `Plain`, `Sorted`, `Hashed`, `Mixed`. */
  strategy?: string | undefined;
  /** Of a parallel Aggregate: `Partial`, `Finalize`, `Simple`. */
  partialMode?: string | undefined;
  scanDirection?: string | undefined;
  parallelAware: boolean;
  innerUnique?: boolean | undefined;
  /** True where a setting such as enable_seqscan forbids the node, and there was nothing else (PostgreSQL 18). */
  disabled?: boolean | undefined;
  estimate: { startupCost: number; totalCost: number; rows: number; width: number };
  actual?: Actual | undefined;
  conditions: Conditions;
  /** Rows that a condition threw away: means over the loops. */
  removed: {
    filter?: number | undefined;
    joinFilter?: number | undefined;
    recheck?: number | undefined;
  };
  sortKey?: string[] | undefined;
  /** What an Incremental Sort finds sorted already. */
  presortedKey?: string[] | undefined;
  groupKey?: string[] | undefined;
  /** How a sort went: `quicksort`, `top-N heapsort`, `external merge`, …; several for an incremental one or workers. */
  sorts?: Array<{ method: string; space: 'Memory' | 'Disk'; kilobytes: number }> | undefined;
  hash?: { buckets: number; batches: number; originalBatches: number; memoryKilobytes: number } | undefined;
  /** Of a hashed Aggregate that did not fit: batches above 1, and what went to disk. */
  hashAggregate?: { batches: number; memoryKilobytes: number; diskKilobytes: number } | undefined;
  heapFetches?: number | undefined;
  heapBlocks?: { exact: number; lossy: number } | undefined;
  workers?: { planned: number; launched?: number | undefined } | undefined;
  memoize?: { hits: number; misses: number; evictions: number; overflows: number; memoryKilobytes: number } | undefined;
  /** Index searches (PostgreSQL 18): descents from the root, all loops together. */
  indexSearches?: number | undefined;
  subplansRemoved?: number | undefined;
  buffers?: Buffers | undefined;
  children: PlanNode[];
}

export const PlanNode: z.ZodType<PlanNode> = z
  .lazy(() =>
    z.strictObject({
      type: z.string(),
      relationship: z.enum(relationships).optional(),
      subplan: z.string().optional(),
      provider: z.string().optional(),
      relation: z.strictObject({ schema: z.string().optional(), name: z.string(), alias: z.string() }).optional(),
      index: z.string().optional(),
      cteName: z.string().optional(),
      functionName: z.string().optional(),
      alias: z.string().optional(),
      operation: z.string().optional(),
      joinType: z.string().optional(),
      strategy: z.string().optional(),
      partialMode: z.string().optional(),
      scanDirection: z.string().optional(),
      parallelAware: z.boolean(),
      innerUnique: z.boolean().optional(),
      disabled: z.boolean().optional(),
      estimate: z.strictObject({
        startupCost: z.number(),
        totalCost: z.number(),
        rows: z.number(),
        width: z.number(),
      }),
      actual: Actual.optional(),
      conditions: Conditions,
      removed: z.strictObject({
        filter: z.number().optional(),
        joinFilter: z.number().optional(),
        recheck: z.number().optional(),
      }),
      sortKey: z.array(z.string()).optional(),
      presortedKey: z.array(z.string()).optional(),
      groupKey: z.array(z.string()).optional(),
      sorts: z
        .array(z.strictObject({ method: z.string(), space: z.enum(['Memory', 'Disk']), kilobytes: z.number() }))
        .optional(),
      hash: z
        .strictObject({
          buckets: z.number(),
          batches: z.number(),
          originalBatches: z.number(),
          memoryKilobytes: z.number(),
        })
        .optional(),
      hashAggregate: z
        .strictObject({ batches: z.number(), memoryKilobytes: z.number(), diskKilobytes: z.number() })
        .optional(),
      heapFetches: z.number().optional(),
      heapBlocks: z.strictObject({ exact: z.number(), lossy: z.number() }).optional(),
      workers: z.strictObject({ planned: z.number(), launched: z.number().optional() }).optional(),
      memoize: z
        .strictObject({
          hits: z.number(),
          misses: z.number(),
          evictions: z.number(),
          overflows: z.number(),
          memoryKilobytes: z.number(),
        })
        .optional(),
      indexSearches: z.number().optional(),
      subplansRemoved: z.number().optional(),
      buffers: Buffers.optional(),
      children: z.array(PlanNode),
    }),
  )
  .meta({ id: 'PlanNode', description: 'A node of a plan.' });

/** A whole plan. Times are in milliseconds. */
export const Plan = z
  .strictObject({
    root: PlanNode,
    planningMs: z.number().optional(),
    /** Only when the statement was run. */
    executionMs: z.number().optional(),
    jit: z.strictObject({ functions: z.number(), totalMs: z.number().optional() }).optional(),
    triggers: z
      .array(z.strictObject({ name: z.string(), relation: z.string(), calls: z.number(), totalMs: z.number() }))
      .optional(),
    /** Settings that differ from their defaults, where EXPLAIN was asked for them. */
    settings: z.record(z.string(), z.string()).optional(),
  })
  .meta({ id: 'Plan', description: 'A plan as EXPLAIN tells it.' });
export type Plan = z.infer<typeof Plan>;

/** Every node with its ancestors, nearest first; parents come before their children. */
export function* nodesOf(plan: Plan): Generator<{ node: PlanNode; ancestors: readonly PlanNode[] }> {
  const left: Array<{ node: PlanNode; ancestors: readonly PlanNode[] }> = [{ node: plan.root, ancestors: [] }];
  // A list, not a recursion: a plan may be deeper than the stack.
  for (let at = left.pop(); at; at = left.pop()) {
    yield at;
    const ancestors = [at.node, ...at.ancestors];
    for (const node of at.node.children.toReversed()) left.push({ node, ancestors });
  }
}
