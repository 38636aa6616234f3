/**
 * Real plans that were damaged: whatever is read of them can be judged, masked and drawn; what cannot be read is refused. As many
 * runs as FUZZ_RUNS says.
 */
import fc from 'fast-check';
import { beforeAll, expect, test } from 'vitest';
import { Finding } from '../../../../../lib/advice/finding.ts';
import { StreamGateError } from '../../../../../lib/errors.ts';
import { maskedPlan } from '../../../../../lib/queries/masked-plan.ts';
import { type FoundPlan, readPlans } from '../../../../../lib/queries/plan/read.ts';
import { renderPlan } from '../../../../../lib/queries/plan/render.ts';
import { planRules } from '../../../../../lib/queries/plan/rules/index.ts';
import { shapeOf } from '../../../../../lib/queries/plan/shape.ts';
import { nodesOf, type Plan } from '../../../../../lib/queries/plan/tree.ts';
import { loadParser } from '../../../../../lib/queries/text.ts';
import { column, querySnapshot, relation, statement, statementPlan, tableIndex } from '../../../snapshots.ts';
import { fixture, jsonAnswers, textAnswers, versions } from './corpus.ts';

const numRuns = Number(process.env.FUZZ_RUNS ?? 1_000) / 2;

beforeAll(() => loadParser());

const json = versions.flatMap((version) => jsonAnswers(version));
const texts = [
  ...versions.flatMap((version) => [...textAnswers(version).values()]),
  ...['13-text.log', '18-text.log', '18-json.log', '18-jsonlog.log', '18-csvlog.log'].map(fixture),
];

/** What every figure, name and part of a plan may turn out to be. */
const odd = fc.constantFrom<unknown>(
  null, true, 0, -1, 0.5, 1e-320, 1e308, -1e308, 2 ** 53, '', ' ', 'x', '$1', "'", '(', '((a = $1) AND (b > $2))', 'Seq Scan', 'Nested Loop',
  'Hash Join', 'ModifyTable', '🦆', '\ud83d', '\u0000', '__proto__', 'constructor', [], [[]], {}, [null], { Plan: {} }, '1e999', 'NaN',
); // biome-ignore format: a list to be read at a glance

type Place = { holder: Record<string, unknown>; key: string };

/** Every place of a tree, from the root on. */
function placesIn(tree: unknown): Place[] {
  const places: Place[] = [];
  const left = [tree];
  for (let at = left.pop(); at !== undefined; at = left.pop()) {
    if (typeof at !== 'object' || at === null) continue;
    for (const key of Object.keys(at)) {
      places.push({ holder: at as Record<string, unknown>, key });
      left.push((at as Record<string, unknown>)[key]);
    }
  }
  return places;
}

const damage = fc.record({
  where: fc.nat(),
  from: fc.nat(),
  how: fc.constantFrom('odd', 'delete', 'copy', 'swap', 'scale', 'nest'),
  value: odd,
});

/** Damages a tree at a few places. */
const damagedJson = fc
  .tuple(fc.nat(json.length - 1), fc.array(damage, { minLength: 1, maxLength: 4 }))
  .map(([which, damages]) => {
    const tree = structuredClone(json[which]);
    for (const { where, from, how, value } of damages) {
      const places = placesIn(tree);
      const at = places[where % places.length];
      const other = places[from % places.length];
      if (!at || !other) continue;
      const [here, there] = [at.holder[at.key], other.holder[other.key]];
      if (how === 'odd') at.holder[at.key] = structuredClone(value);
      if (how === 'delete') delete at.holder[at.key];
      if (how === 'copy') at.holder[at.key] = structuredClone(there);
      if (how === 'swap') [at.holder[at.key], other.holder[other.key]] = structuredClone([there, here]);
      if (how === 'scale' && typeof here === 'number') at.holder[at.key] = here * 10 ** ((from % 30) - 15);
      if (how === 'nest' && Array.isArray(here)) here.push(structuredClone(there));
    }
    return JSON.stringify(tree);
  });

const edit = fc.record({
  where: fc.nat(),
  from: fc.nat(),
  how: fc.constantFrom('drop', 'double', 'move', 'indent', 'number', 'cut', 'insert', 'head', 'tail'),
  junk: fc.constantFrom('->', '  ->  ', '(', ')', '(cost=', 'rows=', '(never executed)', 'Filter:', 'Sort Method: ', '+', '|', '\t', '"', "'", 'x'.repeat(200), '🦆', '\u0000', '\r', '-1', '1e400', 'Workers Planned: ', 'Worker 0: ', 'SubPlan 1', 'CTE x'),
}); // biome-ignore format: a list to be read at a glance

/** Damages a text at a few lines. */
const damagedText = fc
  .tuple(fc.nat(texts.length - 1), fc.array(edit, { minLength: 1, maxLength: 5 }))
  .map(([which, edits]) => {
    let lines = (texts[which] ?? '').split('\n');
    for (const { where, from, how, junk } of edits) {
      const at = where % Math.max(1, lines.length);
      const line = lines[at] ?? '';
      if (how === 'drop') lines.splice(at, 1);
      if (how === 'double') lines.splice(at, 0, line);
      if (how === 'move') lines.splice(from % (lines.length + 1), 0, ...lines.splice(at, 1));
      if (how === 'indent') lines[at] = from % 2 ? line.trimStart() : `${' '.repeat(from % 40)}${line}`;
      if (how === 'number') lines[at] = line.replace(/\d+(?:\.\d+)?/, junk);
      if (how === 'cut') lines[at] = line.slice(0, from % (line.length + 1));
      if (how === 'insert')
        lines[at] = line.slice(0, from % (line.length + 1)) + junk + line.slice(from % (line.length + 1));
      if (how === 'head') lines = lines.slice(0, at + 1);
      if (how === 'tail') lines = lines.slice(at);
    }
    return lines.join('\n');
  });

const rules = planRules.map((rule) => ({ rule, options: rule.options.parse({}) }));

/** The tables of the plan, with an index, so that the rules have something to say of it. */
function relationsOf(plan: Plan) {
  const names = new Set([...nodesOf(plan)].flatMap(({ node }) => node.relation?.name ?? []));
  return [...names].slice(0, 20).map((name) =>
    relation(name, {
      rows: 1_000_000,
      columns: [column('id'), column('a'), column('b')],
      indexes: [tableIndex('i', ['id'])],
    }),
  );
}

function judged({ plan, query }: FoundPlan): void {
  const drawn = renderPlan(plan, { colour: false, columns: 100, remarks: new Map() });
  expect(drawn.length).toBeGreaterThan(0);
  const explained = statementPlan(plan.root, { plan, shape: shapeOf(plan) });
  const text = query ?? 'select a from orders where b = $1';
  const input = querySnapshot([statement({ query: text, totalMs: 1e6, meanMs: 1e5 })], {
    plans: [explained],
    relations: relationsOf(plan),
  });
  for (const { rule, options } of rules) for (const finding of rule.check(input, options)) Finding.parse(finding);
  expect(shapeOf(maskedPlan(plan))).toEqual(expect.any(String));
}

/** Reads it, and judges what is in it. Only one error is foreseen. */
function survives(text: string): number {
  let plans: FoundPlan[];
  try {
    plans = readPlans(text);
  } catch (error) {
    expect(error).toBeInstanceOf(StreamGateError);
    expect(error).toMatchObject({ code: 'plan-invalid' });
    return 0;
  }
  for (const plan of plans) judged(plan);
  return plans.length;
}

test.each([
  ['JSON', damagedJson],
  ['text', damagedText],
])(
  'a damaged plan in %s is read or refused, and what is read is judged and drawn',
  (_, damaged) => {
    let read = 0;
    fc.assert(
      fc.property(damaged, (text) => {
        read += survives(text);
      }),
      { numRuns },
    );
    // Most survive the damage: else nothing was tried but the refusals.
    expect(read).toBeGreaterThan(numRuns / 4);
  },
  120_000,
);
