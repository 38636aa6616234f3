import { unframed } from './framing.ts';
import { readHeading } from './heading.ts';
import { invalidPlan, readJsonPlan } from './json.ts';
import type { Plan } from './tree.ts';

/** A node, a worker or a plan on its way to JSON. */
type Json = Record<string, unknown>;

interface OpenNode {
  json: Json;
  children: Json[];
  /** Where its line begins, or that of the name above it: what belongs below it is indented further. */
  column: number;
}

interface Line {
  column: number;
  /** Without the spaces before it; those behind it may belong to a literal. */
  text: string;
}

/**
 * Reads a plan in EXPLAIN's text format: with or without ANALYZE and any option but COSTS OFF, as psql or another client shows it.
 * The text is translated to the JSON format, line by line, so that both readers agree. What text does not tell is absent:
 * whether the inner side of a join is unique (but with VERBOSE), and whether a function scan shows a name or an alias.
 *
 * @throws StreamGateError `plan-invalid`
 */
export function readTextPlan(text: string): Plan {
  const lines = unframed(text);
  const start = lines.findIndex((line) => readHeading(line.trim()) !== undefined);
  const root = readHeading((lines[start] ?? '').trim());
  if (!root) throw invalidPlan('no line of it tells a cost. Run EXPLAIN without COSTS OFF, and paste its whole answer');
  if (root.arrow) throw invalidPlan('its first line is missing');
  return readJsonPlan(new TextPlan(root.json, lines, start).read());
}

/** Sections that stand below the tree of nodes. */
const sections = /^(Planning|JIT|Settings|Trigger|Query Identifier|Planning [Tt]ime|Execution [Tt]ime|Serialization)\b/;
const subplanName = /^(?:InitPlan|SubPlan|CTE) \S/;

class TextPlan {
  readonly #lines: readonly string[];
  readonly #rootColumn: number;
  readonly #plan: Json;
  readonly #triggers: Json[] = [];
  /** The nodes that may still get children, topmost first. */
  readonly #open: OpenNode[];
  #node: OpenNode;
  #worker: { json: Json; column: number } | undefined;
  #section: string | undefined;
  /** The name of a subplan, until its node comes on the next line. */
  #subplan: Line | undefined;
  /** The table that triggers belong to where they tell none. */
  #changed: string | undefined;
  #at: number;

  constructor(root: Json, lines: readonly string[], start: number) {
    this.#lines = lines;
    this.#at = start + 1;
    this.#rootColumn = columnOf(lines[start] ?? '');
    this.#node = { json: root, children: [], column: -1 };
    root.Plans = this.#node.children;
    this.#open = [this.#node];
    this.#plan = { Plan: root };
  }

  read(): Json {
    for (let line = this.#next(); line; line = this.#next()) {
      const heading = readHeading(line.text.trimEnd());
      if (heading && !heading.arrow) break;
      if (heading) this.#addNode(heading.json, line);
      else if (line.column <= this.#rootColumn + 1) this.#addSection(line.text);
      else if (this.#section !== undefined) this.#addDetail(line.text);
      else if (subplanName.test(line.text) && this.#isArrowNext()) this.#subplan = line;
      else this.#addProperty(line);
    }
    if (this.#triggers.length > 0) this.#plan.Triggers = this.#triggers;
    return this.#plan;
  }

  /** The next line that is not empty, joined with those behind it that a literal of several lines runs over. */
  #next(): Line | undefined {
    let line = this.#lines[this.#at++];
    while (line !== undefined && line.trim() === '') line = this.#lines[this.#at++];
    if (line === undefined) return undefined;
    const parts = [line.trimStart()];
    const isProperty = this.#section === undefined && columnOf(line) > this.#rootColumn + 1;
    let quote = isProperty ? openQuote(line, '') : '';
    while (quote !== '' && !this.#isPlain(this.#lines[this.#at])) {
      const more = this.#lines[this.#at++] ?? '';
      parts.push(more.slice(Math.min(this.#rootColumn, columnOf(more))));
      quote = openQuote(more, quote);
    }
    return { column: columnOf(line), text: parts.join('\n') };
  }

  /** Whether a line cannot be part of a literal, however odd the quotes before it. */
  #isPlain(line: string | undefined): boolean {
    return (
      line === undefined || readHeading(line.trim()) !== undefined || /^\s*(?:Planning|Execution) Time: /.test(line)
    );
  }

  #isArrowNext(): boolean {
    let at = this.#at;
    while (this.#lines[at]?.trim() === '') at++;
    return this.#lines[at]?.trimStart().startsWith('->') ?? false;
  }

  #addNode(json: Json, line: Line): void {
    const column = this.#subplan?.column ?? line.column;
    while ((this.#open.at(-1)?.column ?? -1) >= column) this.#open.pop();
    const parent = this.#open.at(-1);
    if (!parent) throw invalidPlan('its first line is missing');
    if (this.#subplan) {
      const name = this.#subplan.text.trimEnd();
      json['Subplan Name'] = name;
      json['Parent Relationship'] = name.startsWith('SubPlan') ? 'SubPlan' : 'InitPlan';
    } else {
      json['Parent Relationship'] = relationshipTo(parent);
    }
    this.#node = { json, children: [], column };
    json.Plans = this.#node.children;
    parent.children.push(json);
    this.#open.push(this.#node);
    this.#subplan = undefined;
    this.#worker = undefined;
  }

  #addProperty(line: Line): void {
    if (this.#worker && line.column <= this.#worker.column) this.#worker = undefined;
    const worker = /^Worker \d+: +/.exec(line.text);
    if (worker) {
      this.#worker = { json: {}, column: line.column };
      const workers = (this.#node.json.Workers ?? []) as Json[];
      workers.push(this.#worker.json);
      this.#node.json.Workers = workers;
    }
    const text = line.text.slice(worker?.[0].length ?? 0).trimEnd();
    if (this.#worker) addProcessProperty(this.#worker.json, text);
    else addNodeProperty(this.#node.json, text);
  }

  #addSection(text: string): void {
    this.#section = sections.exec(text)?.[1] ?? this.#section;
    const [, ms] = /^(?:Planning|Execution) [Tt]ime: (\d+\.\d+) ms/.exec(text) ?? [];
    if (ms !== undefined) this.#plan[text.startsWith('P') ? 'Planning Time' : 'Execution Time'] = Number(ms);
    if (text.startsWith('Settings: ')) this.#plan.Settings = readSettings(text.trimEnd().slice('Settings: '.length));
    if (text.startsWith('Trigger ')) this.#addTrigger(text);
  }

  /** Of the sections with lines below them only JIT tells what is kept. */
  #addDetail(text: string): void {
    if (this.#section !== 'JIT') return;
    const [, functions] = /^Functions: (\d+)/.exec(text) ?? [];
    const [, total] = /^Timing: .*\bTotal (\d+\.\d+) ms/.exec(text) ?? [];
    const jit = (this.#plan.JIT ?? {}) as Json;
    if (functions !== undefined) this.#plan.JIT = { ...jit, Functions: Number(functions) };
    if (total !== undefined) this.#plan.JIT = { ...jit, Timing: { Total: Number(total) } };
  }

  /** `Trigger [name] [for constraint name] [on table]: time=1.234 calls=5`; the table is told where several change. */
  #addTrigger(text: string): void {
    const match = /: (?:time=(\d+\.\d+) )?calls=(\d+)\s*$/.exec(text);
    if (!match) return;
    const [whole, ms, calls] = match;
    const [names = '', table] = splitLast(text.slice('Trigger'.length, text.length - whole.length).trimStart(), ' on ');
    const constraint = ` ${names}`.split(' for constraint ')[1];
    this.#changed ??= changedTable(this.#plan.Plan as Json);
    this.#triggers.push({
      'Trigger Name': names,
      ...(constraint === undefined ? {} : { 'Constraint Name': constraint }),
      Relation: table ?? this.#changed,
      ...(ms === undefined ? {} : { Time: Number(ms) }),
      Calls: Number(calls),
    });
  }
}

/** The text says how a node came below its parent only for subplans; for the others it follows from the parent. */
function relationshipTo({ json, children }: OpenNode): string {
  const type = json['Node Type'] as string;
  if (/^(?:Append|Merge Append|BitmapAnd|BitmapOr|ModifyTable|Custom Scan)$/.test(type)) return 'Member';
  if (type === 'Subquery Scan') return 'Subquery';
  return children.some((child) => child['Parent Relationship'] === 'Outer') ? 'Inner' : 'Outer';
}

const conditions = new Set([
  'Filter',
  'Index Cond',
  'Recheck Cond',
  'Join Filter',
  'Hash Cond',
  'Merge Cond',
  'One-Time Filter',
  'TID Cond',
  'Order By',
  'Run Condition',
]);
const counts = new Set([
  'Rows Removed by Filter',
  'Rows Removed by Join Filter',
  'Rows Removed by Index Recheck',
  'Heap Fetches',
  'Index Searches',
  'Workers Planned',
  'Workers Launched',
  'Subplans Removed',
]);

function addNodeProperty(json: Json, text: string): void {
  const [key, value] = splitFirst(text);
  if (value === undefined) return;
  if (conditions.has(key)) json[key] = value;
  else if (counts.has(key)) json[key] = leadingNumber(value);
  else if (key === 'Inner Unique' || key === 'Disabled') json[key] = value === 'true';
  else if (key === 'Group Key' || key === 'Hash Key') addGroupKey(json, value);
  // Grouping sets that need an order of their own tell it too, but are no sort.
  else if (key === 'Sort Key' && json['Node Type'] === 'Aggregate') return;
  else if (key === 'Sort Key' || key === 'Presorted Key') json[key] = splitList(value);
  else if (key === 'Buffers') addBuffers(json, value);
  else if (key === 'Buckets') addHash(json, text);
  else addProcessProperty(json, text);
}

/** Each grouping set has a line of its own. */
function addGroupKey(json: Json, value: string): void {
  const keys = (json['Group Key'] ?? []) as string[];
  if (value !== '()') for (const key of splitList(value)) keys.push(key);
  json['Group Key'] = keys;
}

/** `shared hit=148 read=2, temp read=140 written=213` */
function addBuffers(json: Json, value: string): void {
  for (const part of value.split(', ')) {
    const [kind = '', ...counters] = part.split(' ');
    for (const counter of counters) {
      const [word = '', count = ''] = counter.split('=');
      json[`${capital(kind)} ${capital(word)} Blocks`] = leadingNumber(count);
    }
  }
}

/** `Buckets: 1024 (originally 512)  Batches: 2 (originally 1)  Memory Usage: 40kB` */
function addHash(json: Json, text: string): void {
  const fields = readFields(text);
  json['Hash Buckets'] = leadingNumber(fields.Buckets);
  json['Hash Batches'] = leadingNumber(fields.Batches);
  json['Original Hash Batches'] = leadingNumber(fields.Batches?.split('(originally ')[1] ?? fields.Batches);
  json['Peak Memory Usage'] = leadingNumber(fields['Memory Usage']);
}

/** What both a node and each of its workers may tell. Lines of unknown words are passed over. */
function addProcessProperty(json: Json, text: string): void {
  const fields = readFields(text);
  const [first = ''] = Object.keys(fields);
  if (first === 'Sort Method') {
    const space = fields.Disk === undefined ? 'Memory' : 'Disk';
    json['Sort Method'] = fields['Sort Method'];
    json['Sort Space Type'] = space;
    json['Sort Space Used'] = leadingNumber(fields[space]);
  } else if (first === 'Full-sort Groups' || first === 'Pre-sorted Groups') json[first] = readSortGroups(text);
  else if (first === 'Hits') {
    for (const word of ['Hits', 'Misses', 'Evictions', 'Overflows'])
      json[`Cache ${word}`] = leadingNumber(fields[word]);
    json['Peak Memory Usage'] = leadingNumber(fields['Memory Usage']);
  } else if (fields.Batches !== undefined) {
    json['HashAgg Batches'] = leadingNumber(fields.Batches);
    json['Peak Memory Usage'] = leadingNumber(fields['Memory Usage']);
    json['Disk Usage'] = leadingNumber(fields['Disk Usage'] ?? '0');
  } else if (first === 'Heap Blocks') {
    const [, exact] = /\bexact=(\d+)/.exec(text) ?? [];
    const [, lossy] = /\blossy=(\d+)/.exec(text) ?? [];
    json['Exact Heap Blocks'] = Number(exact ?? 0);
    json['Lossy Heap Blocks'] = Number(lossy ?? 0);
  }
}

/** `Full-sort Groups: 3  Sort Methods: quicksort, external merge  Average Memory: 28kB  Peak Memory: 28kB  Average Disk: …` */
function readSortGroups(text: string): Json {
  const fields = readFields(text);
  const space = (name: string) =>
    fields[`Peak ${name}`] === undefined
      ? {}
      : { [`Sort Space ${name}`]: { 'Peak Sort Space Used': leadingNumber(fields[`Peak ${name}`]) } };
  const methods = fields['Sort Method'] ?? fields['Sort Methods'] ?? '';
  return { 'Sort Methods Used': methods.split(', '), ...space('Memory'), ...space('Disk') };
}

/** Several fields on a line stand two spaces apart. */
function readFields(text: string): Record<string, string> {
  const fields: Record<string, string> = {};
  for (const field of text.split('  ')) {
    const [key, value] = splitFirst(field.trim());
    if (value !== undefined) fields[key] = value;
  }
  return fields;
}

/** `work_mem = '64MB', search_path = 'public, "$user"'`: quotes within a value are not marked. */
function readSettings(text: string): Record<string, string> {
  const settings: Record<string, string> = {};
  for (const part of text.split(/, (?=[\w.]{1,128} = ['N])/)) {
    const at = part.indexOf(" = '");
    if (at > 0 && part.endsWith("'")) settings[part.slice(0, at)] = part.slice(at + " = '".length, -1);
  }
  return settings;
}

/** The one table that the statement changes: its name is not repeated at a trigger. */
function changedTable(root: Json): string {
  const left = [root];
  for (let node = left.pop(); node; node = left.pop()) {
    if (node['Node Type'] === 'ModifyTable') return String(node['Relation Name'] ?? '');
    for (const child of node.Plans as Json[]) left.push(child);
  }
  return '';
}

/** A list of expressions: commas in brackets and quotes do not part it. */
function splitList(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let quote = '';
  let from = 0;
  for (let i = 0; i < text.length; i++) {
    const character = text.charAt(i);
    quote = quoteAfter(character, quote);
    if (quote !== '') continue;
    if (character === '(' || character === '[') depth++;
    else if (character === ')' || character === ']') depth--;
    else if (character === ',' && depth === 0) {
      parts.push(text.slice(from, i));
      from = i + 2;
    }
  }
  return [...parts, text.slice(from)];
}

/** The quote that is open after a text: `'`, `"` or none. A doubled quote closes and opens again, which comes to the same. */
function openQuote(text: string, before: string): string {
  let quote = before;
  for (let i = 0; i < text.length; i++) quote = quoteAfter(text.charAt(i), quote);
  return quote;
}

function quoteAfter(character: string, quote: string): string {
  if (quote !== '') return character === quote ? '' : quote;
  return character === "'" || character === '"' ? character : '';
}

function splitFirst(text: string): [string, string | undefined] {
  const at = text.indexOf(': ');
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + 2)];
}

function splitLast(text: string, separator: string): [string, string | undefined] {
  const at = text.lastIndexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** 25 of `25kB`; not a number of nothing, which is found out when the JSON is read. */
function leadingNumber(text: string | undefined): number {
  return Number.parseFloat(text ?? '');
}

function columnOf(line: string): number {
  return line.length - line.trimStart().length;
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
