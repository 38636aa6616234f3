import { createColors } from 'picocolors';
import { bytes, count, milliseconds, plural } from '../../advice/format.ts';
import { misestimate, selfTimes } from './measures.ts';
import type { Conditions, Plan, PlanNode } from './tree.ts';

/** How a plan is shown. */
export interface RenderOptions {
  colour: boolean;
  /** The width of the terminal: longer lines are broken between words. */
  columns: number;
  /** What is to be said of a node, below it. */
  remarks?: ReadonlyMap<PlanNode, readonly string[]>;
}

/** A piece of a line; spaces in it are places to break at. */
interface Span {
  text: string;
  paint?: (text: string) => string;
}

type Colours = ReturnType<typeof createColors>;

/** From this factor on an estimate is called wrong, as most who explain plans do. */
const notableFactor = 10;

/**
 * Draws a plan as a tree for a terminal. Before each node stand the time that it took itself and its share of the whole, or its
 * estimated cost where the plan was not run; behind it the rows, estimated → found, and what was costly about it; below it
 * its conditions and remarks. The conditions are shown with their literals.
 */
export function renderPlan(plan: Plan, { colour, columns, remarks }: RenderOptions): string {
  const colours = createColors(colour);
  const gutter = gutterOf(plan, colours);
  const lines = [`${gutter.header}  ${colours.dim('plan')}`];
  for (const place of placesOf(plan)) {
    const draw = (first: string, rest: string, column: string, spans: Span[]) =>
      wrapped(spans, Math.max(20, columns - gutter.width - 2 - rest.length)).map((line, i) =>
        `${i === 0 ? column : ' '.repeat(gutter.width)}  ${colours.dim(i === 0 ? first : rest)}${line}`.trimEnd(),
      );
    const short = (prefix: string) => shortened(prefix, Math.floor(columns / 2));
    const below = short(`${place.below}  `);
    const drawn = [draw(short(place.branch), below, gutter.of(place.node), headline(place.node, colours))];
    const details = [
      ...conditionsOf(place.node.conditions).map((text) => [{ text, paint: colours.dim }]),
      ...(remarks?.get(place.node) ?? []).map((text) => [{ text: `! ${text}`, paint: colours.yellow }]),
    ];
    for (const detail of details) drawn.push(draw(below, `${below}  `, ' '.repeat(gutter.width), detail));
    lines.push(drawn.flat().join('\n'));
  }
  for (const text of footerOf(plan)) lines.push(wrapped([{ text, paint: colours.dim }], columns).join('\n'));
  return lines.join('\n');
}

/** The columns before the tree: all of one width, numbers to the right. */
interface Gutter {
  width: number;
  header: string;
  of(node: PlanNode): string;
}

function gutterOf(plan: Plan, colours: Colours): Gutter {
  const selfs = selfTimes(plan);
  const all = plan.executionMs ?? plan.root.actual?.totalMs ?? 0;
  const isTimed = selfs.size > 0;
  const cells = new Map<PlanNode, string>();
  for (const { node } of placesOf(plan)) {
    const self = selfs.get(node);
    if (self !== undefined && node.actual?.loops !== 0) cells.set(node, milliseconds(Math.round(self * 1000) / 1000));
    else cells.set(node, isTimed ? '' : count(node.estimate.totalCost));
  }
  const title = isTimed ? 'self' : 'cost';
  const width = [...cells.values()].reduce((widest, cell) => Math.max(widest, cell.length), title.length);
  const shareWidth = isTimed ? '  share'.length : 0;
  return {
    width: width + shareWidth,
    header: colours.dim(`${title.padStart(width)}${isTimed ? '  share' : ''}`),
    of(node) {
      const share = all > 0 ? Math.min(1, (selfs.get(node) ?? 0) / all) : 0;
      const percent = share >= 0.005 ? `${Math.round(share * 100)} %` : '';
      const text = `${(cells.get(node) ?? '').padStart(width)}${percent.padStart(shareWidth)}`;
      return share >= 0.3 ? colours.red(text) : share >= 0.1 ? colours.yellow(text) : text;
    },
  };
}

/** A node with what is drawn before its line, and before those below it. */
interface Place {
  node: PlanNode;
  branch: string;
  below: string;
}

function placesOf({ root }: Plan): Place[] {
  const places: Place[] = [];
  const left: Array<{ node: PlanNode; before: string; branch: string; stem: string }> = [
    { node: root, before: '', branch: '', stem: '' },
  ];
  for (let at = left.pop(); at; at = left.pop()) {
    const { node } = at;
    const before = at.before + at.stem;
    const last = node.children.length - 1;
    places.push({ node, branch: at.before + at.branch, below: `${before}${last < 0 ? ' ' : '│'}` });
    for (const [i, child] of [...node.children.entries()].reverse()) {
      left.push({ node: child, before, branch: i === last ? '└─ ' : '├─ ', stem: i === last ? '   ' : '│  ' });
    }
  }
  return places;
}

/** What a node is and how it went. */
function headline(node: PlanNode, colours: Colours): Span[] {
  const { subplan, actual } = node;
  const rows = actual?.loops === 0 ? [{ text: 'never executed', paint: colours.dim }] : rowsOf(node, colours);
  const facts = [
    ...rows,
    ...factsOf(node).map(({ text, isBad }) => (isBad ? { text, paint: colours.yellow } : { text })),
  ];
  return [
    ...(subplan === undefined ? [] : [{ text: `${subplan}:`, paint: colours.cyan }]),
    { text: describe(node), paint: colours.bold },
    ...facts.map((fact, i) => ({
      ...fact,
      text: `${i === 0 ? '· ' : ''}${fact.text}${i < facts.length - 1 ? ',' : ''}`,
    })),
  ];
}

/** What a node does, such as `Index Scan on orders o using orders_pkey`. */
function describe(node: PlanNode): string {
  const { type, relation, index } = node;
  const name = [node.parallelAware ? 'Parallel' : undefined, typeName(node)].filter(Boolean).join(' ');
  if (type === 'ModifyTable')
    return `${changes[node.operation ?? ''] ?? node.operation ?? type} ${relation?.name ?? ''}`.trim();
  const aliased = (of: string, alias: string | undefined) =>
    alias === undefined || alias === of ? of : `${of} ${alias}`;
  const target = relation
    ? aliased(relation.name, relation.alias)
    : aliased(node.cteName ?? node.functionName ?? node.alias ?? '', node.alias);
  const direction = node.scanDirection === 'Backward' ? ' backward' : '';
  const keys = keysOf(node);
  return [
    name + direction,
    target === '' ? '' : `on ${target}`,
    index === undefined ? '' : `using ${index}`,
    keys === undefined ? '' : `by ${keys}`,
  ]
    .filter((part) => part !== '')
    .join(' ');
}

const changes: Record<string, string> = {
  Insert: 'Insert into',
  Update: 'Update',
  Delete: 'Delete from',
  Merge: 'Merge into',
};
const aggregates: Record<string, string> = { Sorted: 'Group ', Hashed: 'Hash ', Mixed: 'Mixed ' };

function typeName({ type, strategy = '', partialMode, joinType = 'Inner', provider, operation }: PlanNode): string {
  if (type === 'Aggregate') {
    const mode = partialMode === undefined || partialMode === 'Simple' ? '' : `${partialMode} `;
    return `${mode}${aggregates[strategy] ?? ''}Aggregate`;
  }
  if (type === 'SetOp') return `${strategy === 'Hashed' ? 'Hash ' : ''}SetOp`;
  if (type === 'Foreign Scan' && operation !== undefined) return `Foreign ${operation}`;
  if (provider !== undefined) return `${type} (${provider})`;
  return joinType === 'Inner' ? type : `${type.replace(/ Join$/, '')} ${joinType} Join`;
}

function keysOf({ sortKey, presortedKey, groupKey }: PlanNode): string | undefined {
  const sorted = presortedKey === undefined ? '' : ` (sorted by ${presortedKey.join(', ')} already)`;
  return sortKey === undefined ? groupKey?.join(', ') : sortKey.join(', ') + sorted;
}

function rowsOf(node: PlanNode, colours: Colours): Span[] {
  const { actual, estimate, type } = node;
  if (!actual) return [{ text: `~${plural(estimate.rows, 'row')}` }];
  const factor = misestimate(node);
  // Changes, and bitmaps of several indexes, do not count their rows.
  if (factor === undefined) return [];
  const direction = actual.rows > estimate.rows ? 'more' : 'fewer';
  const wrong = factor >= notableFactor ? ` (${count(factor)}x ${direction})` : '';
  const loops = actual.loops > 1 ? ` in each of ${count(actual.loops)} loops` : '';
  const unit = type === 'Bitmap Index Scan' ? 'row pointers' : 'rows';
  return [
    {
      text: `${count(estimate.rows)} → ${fewRows(actual.rows)} ${unit}${wrong}${loops}`,
      ...(wrong === '' ? {} : { paint: colours.yellow }),
    },
  ];
}

/** From PostgreSQL 18 on a mean has two decimals, which tell something of small numbers only. */
function fewRows(rows: number): string {
  return rows > 0 && rows < 10 && !Number.isInteger(rows) ? rows.toFixed(1) : count(rows);
}

/** Something about a node's run; `isBad` where it cost more than it need. */
interface Fact {
  text: string;
  isBad?: boolean;
}

function factsOf(node: PlanNode): Fact[] {
  const { removed, actual, heapBlocks, memoize, workers, heapFetches = 0 } = node;
  const loops = actual?.loops ?? 0;
  const gone = ((removed.filter ?? 0) + (removed.joinFilter ?? 0) + (removed.recheck ?? 0)) * loops;
  const facts: Array<Fact | false | undefined> = [
    gone > 0 && { text: `${count(gone)} removed`, isBad: gone > 10 * (actual?.rows ?? 0) * loops && gone > 1000 },
    ...sortFacts(node.sorts ?? []),
    node.hash && node.hash.batches > 1 && { text: `hashed in ${node.hash.batches} batches on disk`, isBad: true },
    spillOf(node),
    heapFetches > 0 && { text: `${plural(heapFetches, 'heap fetch', 'heap fetches')}` },
    heapBlocks && heapBlocks.lossy > 0 && { text: `${plural(heapBlocks.lossy, 'lossy block')}`, isBad: true },
    memoize && { text: `${plural(memoize.hits, 'hit')} and ${plural(memoize.misses, 'miss', 'misses')}` },
    memoize && memoize.evictions > 0 && { text: `${plural(memoize.evictions, 'eviction')}`, isBad: true },
    workers && workersFact(workers),
    node.subplansRemoved !== undefined && { text: `${plural(node.subplansRemoved, 'member')} pruned` },
    node.disabled && { text: 'disabled by a setting', isBad: true },
  ];
  return facts.filter((fact) => fact !== false && fact !== undefined);
}

/** Workers that sorted the same way are told once, with the one that took most. */
function sortFacts(sorts: NonNullable<PlanNode['sorts']>): Fact[] {
  const ways = Map.groupBy(sorts, ({ method, space }) => `${method}${space === 'Disk' ? ' on disk' : ''}`);
  return [...ways].map(([way, alike]) => ({
    text: `${way} ${bytes(alike.reduce((most, { kilobytes }) => Math.max(most, kilobytes), 0) * 1024)}`,
    isBad: alike.some(({ space }) => space === 'Disk'),
  }));
}

function spillOf({ hashAggregate }: PlanNode): Fact | undefined {
  if (!hashAggregate || hashAggregate.diskKilobytes === 0) return undefined;
  const { batches, diskKilobytes } = hashAggregate;
  return { text: `${plural(batches, 'batch', 'batches')} on disk ${bytes(diskKilobytes * 1024)}`, isBad: true };
}

function workersFact({ planned, launched }: NonNullable<PlanNode['workers']>): Fact {
  if (launched === undefined) return { text: plural(planned, 'worker') };
  return { text: `${launched} of ${plural(planned, 'worker')}`, isBad: launched < planned };
}

const labels: ReadonlyArray<[keyof Conditions, string]> = [
  ['index', 'Index'],
  ['tid', 'TID'],
  ['hash', 'Hash'],
  ['merge', 'Merge'],
  ['recheck', 'Recheck'],
  ['orderBy', 'Order by'],
  ['joinFilter', 'Join filter'],
  ['oneTime', 'One-time filter'],
  ['run', 'Run condition'],
  ['filter', 'Filter'],
];

/** The recheck of a bitmap repeats its index conditions: it is shown for all that. */
function conditionsOf(conditions: Conditions): string[] {
  return labels.flatMap(([key, label]) => (conditions[key] === undefined ? [] : [`${label}: ${conditions[key]}`]));
}

function footerOf(plan: Plan): string[] {
  const { planningMs, executionMs, jit, triggers = [], settings = {} } = plan;
  const times = [
    planningMs === undefined ? undefined : `planned in ${milliseconds(planningMs)}`,
    executionMs === undefined ? undefined : `run in ${milliseconds(executionMs)}`,
    jit &&
      `${plural(jit.functions, 'function')} compiled${jit.totalMs === undefined ? '' : ` in ${milliseconds(jit.totalMs)}`}`,
  ].filter((time) => time !== undefined);
  const set = Object.entries(settings).map(([name, value]) => `${name} = ${value}`);
  const lines = [
    ...(times.length > 0 ? [sentence(times.join(', '))] : []),
    ...triggers.map(
      ({ name, relation, calls, totalMs }) =>
        `Trigger ${name} on ${relation}: ${plural(calls, 'call')}, ${milliseconds(totalMs)}`,
    ),
    ...(set.length > 0 ? [`Settings: ${set.join(', ')}`] : []),
  ];
  return lines.length > 0 ? ['', ...lines] : [];
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

/** Breaks spans into lines between words. A longer word stands on a line of its own. */
function wrapped(spans: Span[], width: number): string[] {
  const lines: Span[][] = [[]];
  let used = 0;
  for (const { text, paint } of spans) {
    for (const word of plain(text).split(' ')) {
      if (used > 0 && used + 1 + word.length > width) {
        lines.push([]);
        used = 0;
      }
      lines.at(-1)?.push(paint ? { text: word, paint } : { text: word });
      used += (used > 0 ? 1 : 0) + word.length;
    }
  }
  return lines.map(painted);
}

/** Words of one colour that follow each other are painted at once. */
function painted(words: Span[]): string {
  const runs: Span[] = [];
  for (const word of words) {
    const run = runs.at(-1);
    if (run && run.paint === word.paint) run.text += ` ${word.text}`;
    else runs.push({ ...word });
  }
  return runs.map(({ text, paint }) => paint?.(text) ?? text).join(' ');
}

/** Names and literals may hold what moves a terminal's cursor, or turns text around. */
function plain(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ');
}

/** Deep down the stems take no more than a part of the line: their left end goes. */
function shortened(prefix: string, width: number): string {
  return prefix.length <= width ? prefix : `…${prefix.slice(prefix.length - width + 1)}`;
}
