/**
 * The first line of a node in EXPLAIN's text format, such as
 * `->  Index Scan using orders_pkey on orders o  (cost=0.29..8.30 rows=1 width=74) (actual time=0.01..0.02 rows=1 loops=1)`,
 * told with the keys of the JSON format. How PostgreSQL writes it: ExplainNode in src/backend/commands/explain.c.
 */
export interface Heading {
  /** Whether an arrow stands before it: only the topmost node has none. */
  arrow: boolean;
  json: Record<string, unknown>;
}

const figures =
  /^\(cost=(\d+\.\d+)\.\.(\d+\.\d+) rows=(\d+) width=(\d+)\)(?: \(actual (?:time=(\d+\.\d+)\.\.(\d+\.\d+) )?rows=(\d+(?:\.\d+)?) loops=(\d+)\)| \((never) executed\))?$/;

/** Reads a line that has no spaces around it; undefined when it is not the first of a node. */
export function readHeading(line: string): Heading | undefined {
  const at = line.lastIndexOf('(cost=');
  const match = at > 0 ? figures.exec(line.slice(at)) : null;
  if (!match) return undefined;
  const arrow = line.startsWith('->');
  const head = line.slice(arrow ? 2 : 0, at).trim();
  return { arrow, json: { ...readHead(head), ...readFigures(match) } };
}

function readFigures([
  ,
  startupCost,
  totalCost,
  planRows,
  width,
  startupMs,
  totalMs,
  rows,
  loops,
  never,
]: RegExpExecArray) {
  return {
    'Startup Cost': Number(startupCost),
    'Total Cost': Number(totalCost),
    'Plan Rows': Number(planRows),
    'Plan Width': Number(width),
    ...(never ? { 'Actual Rows': 0, 'Actual Loops': 0 } : {}),
    ...(loops === undefined ? {} : { 'Actual Rows': Number(rows), 'Actual Loops': Number(loops) }),
    ...(totalMs === undefined
      ? {}
      : { 'Actual Startup Time': Number(startupMs), 'Actual Total Time': Number(totalMs) }),
  };
}

const strategies: Record<string, string> = { Group: 'Sorted', Hash: 'Hashed', Mixed: 'Mixed' };

/** What a node is, from the words before its figures. */
function readHead(head: string): Record<string, unknown> {
  const parallel = head.startsWith('Parallel ');
  const words = head.slice(parallel ? 'Parallel '.length : 0).replace(/^Async /, '');
  return {
    ...(readAggregate(words) ?? readSetOperation(words) ?? readJoin(words) ?? readChange(words) ?? readScan(words)),
    'Parallel Aware': parallel,
  };
}

function readAggregate(words: string): object | undefined {
  const match = /^(?:(Partial|Finalize) )?(Group|Hash|Mixed)?Aggregate$/.exec(words);
  if (!match) return undefined;
  const [, mode = 'Simple', strategy = ''] = match;
  return { 'Node Type': 'Aggregate', Strategy: strategies[strategy] ?? 'Plain', 'Partial Mode': mode };
}

function readSetOperation(words: string): object | undefined {
  const match = /^(Hash)?SetOp /.exec(words);
  return match ? { 'Node Type': 'SetOp', Strategy: match[1] ? 'Hashed' : 'Sorted' } : undefined;
}

function readJoin(words: string): object | undefined {
  if (words === 'Nested Loop') return { 'Node Type': words, 'Join Type': 'Inner' };
  const match = /^(Nested Loop|Hash|Merge)(?: (\w+(?: \w+)?))? Join$/.exec(words);
  if (!match) return undefined;
  const [, method = '', kind = 'Inner'] = match;
  return { 'Node Type': method === 'Nested Loop' ? method : `${method} Join`, 'Join Type': kind };
}

function readChange(words: string): object | undefined {
  const match = /^(Foreign )?(Insert|Update|Delete|Merge)(?: on (?=.)|$)/.exec(words);
  if (!match) return undefined;
  const [whole, foreign, operation] = match;
  return {
    'Node Type': foreign ? 'Foreign Scan' : 'ModifyTable',
    Operation: operation,
    ...readTarget(words.slice(whole.length), 'Relation Name'),
  };
}

/** What a scan's target is called in JSON, where it is not a table. */
const targets: Record<string, string | null> = {
  'CTE Scan': 'CTE Name',
  'WorkTable Scan': 'CTE Name',
  'Function Scan': 'Function Name',
  'Table Function Scan': 'Table Function Name',
  'Subquery Scan': null,
  'Values Scan': null,
};

function readScan(words: string): object {
  const custom = /^Custom Scan \(([^()]*)\)/.exec(words);
  if (custom) {
    const target = words.slice(custom[0].length);
    return {
      'Node Type': 'Custom Scan',
      'Custom Plan Provider': custom[1],
      ...(target.startsWith(' on ') ? readTarget(target.slice(' on '.length), 'Relation Name') : {}),
    };
  }
  const indexed = /^(Index(?: Only)? Scan)( Backward)? using /.exec(words);
  if (indexed) {
    const [whole, type, backward] = indexed;
    const index = readName(words, whole.length);
    return {
      'Node Type': type,
      'Scan Direction': backward ? 'Backward' : 'Forward',
      'Index Name': index.name,
      ...readTarget(words.slice(index.end).replace(/^ on /, ''), 'Relation Name'),
    };
  }
  const at = words.indexOf(' on ');
  if (at < 0) return { 'Node Type': words };
  const type = words.slice(0, at);
  const target = words.slice(at + ' on '.length);
  if (type === 'Bitmap Index Scan') return { 'Node Type': type, 'Index Name': readName(target, 0).name };
  const key = targets[type];
  return { 'Node Type': type, ...readTarget(target, key === undefined ? 'Relation Name' : key) };
}

/**
 * `[schema.]name [alias]`. The alias is told where it differs from the name. What has no name of its own has just the alias, which
 * for a function cannot be told apart from a name.
 */
function readTarget(text: string, key: string | null): object {
  const first = readName(text, 0);
  const isQualified = text[first.end] === '.';
  const last = isQualified ? readName(text, first.end + 1) : first;
  const alias = text[last.end] === ' ' ? readName(text, last.end + 1).name : last.name;
  if (last.name === '') return {};
  if (key === null) return { Alias: alias };
  return { ...(isQualified ? { Schema: first.name } : {}), [key]: last.name, Alias: alias };
}

/** A name as quote_identifier() writes it, and where it ends. */
function readName(text: string, start: number): { name: string; end: number } {
  const pattern = /"((?:[^"]|"")*)"|[^\s."]+/y;
  pattern.lastIndex = start;
  const match = pattern.exec(text);
  if (!match) return { name: '', end: text.length };
  const [whole, quoted] = match;
  return { name: quoted === undefined ? whole : quoted.replaceAll('""', '"'), end: start + whole.length };
}
