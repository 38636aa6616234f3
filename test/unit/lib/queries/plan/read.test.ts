import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type FoundPlan, readPlans } from '../../../../../lib/queries/plan/read.ts';
import { Plan } from '../../../../../lib/queries/plan/tree.ts';
import { comparable, fixture, jsonAnswers, textAnswers, versions } from './corpus.ts';

const cost = '(cost=0.00..10.50 rows=100 width=8)';
const text = `Limit  ${cost}\n  ->  Seq Scan on t  ${cost}\n        Filter: (a = 'x'::text)`;
const scan = {
  'Node Type': 'Seq Scan',
  'Relation Name': 't',
  'Startup Cost': 0,
  'Total Cost': 1,
  'Plan Rows': 1,
  'Plan Width': 4,
};
const pretty = JSON.stringify([{ Plan: scan }], null, 2);
const types = (plans: FoundPlan[]) => plans.map(({ plan }) => plan.root.type);

describe('one plan is found', () => {
  test('in text', () => {
    expect(readPlans(text)).toMatchObject([{ plan: { root: { type: 'Limit' } }, query: null, durationMs: null }]);
  });

  test('in JSON, with the statement that auto_explain puts beside it', () => {
    expect(readPlans(pretty)).toMatchObject([{ plan: { root: { type: 'Seq Scan' } }, query: null, durationMs: null }]);
    expect(readPlans(JSON.stringify({ 'Query Text': "select 'x'", Plan: scan }))).toMatchObject([
      { query: "select 'x'" },
    ]);
  });

  const lines = pretty.split('\n');
  test.each([
    [
      'as psql shows it',
      [
        '   QUERY PLAN   ',
        '--------',
        ...lines.map((line, i) => ` ${line.padEnd(30)}${i < lines.length - 1 ? '+' : ''}`),
        '(1 row)',
        '',
      ],
    ],
    [
      'as psql shows it with Unicode lines',
      [
        '│ QUERY PLAN │',
        '├──────┤',
        ...lines.map((line, i) => `│ ${line.padEnd(30)}${i < lines.length - 1 ? '↵' : ' '}│`),
        '└──────┘',
        '(1 row)',
      ],
    ],
    ['as pgAdmin copies it', ['"QUERY PLAN"', `"${pretty.replaceAll('"', '""')}"`]],
    ['behind a byte order mark, with Windows line ends', [`\uFEFF${pretty.replaceAll('\n', '\r\n')}`]],
    ['with words behind it', [pretty, '', 'Time: 1.234 ms']],
    ['as a driver returns it', [JSON.stringify([{ 'QUERY PLAN': [{ Plan: scan }] }])]],
    [
      'as a driver returns text, line by line',
      [JSON.stringify([{ 'QUERY PLAN': `Seq Scan on t  ${cost}` }, { 'QUERY PLAN': '  Filter: a' }])],
    ],
    [
      'in a terminal',
      [
        'shop=# explain (format json) select 1;',
        '  QUERY PLAN  ',
        '-------',
        ...lines.map((line) => ` ${line} +`),
        '(1 row)',
        '',
        'shop=#',
      ],
    ],
  ])('%s', (_, shown) => {
    const found = readPlans(shown.join('\n'));
    expect(types(found)).toEqual(['Seq Scan']);
    expect(found[0]?.plan.root.relation?.name).toBe('t');
  });
});

describe('several plans are found', () => {
  test('in JSON, where a rule made several of a statement', () => {
    expect(types(readPlans(JSON.stringify([{ Plan: scan }, { Plan: { ...scan, 'Node Type': 'Result' } }])))).toEqual([
      'Seq Scan',
      'Result',
    ]);
  });

  test('in text, one below the other', () => {
    expect(types(readPlans(`${text}\n\nResult  ${cost}\n`))).toEqual(['Limit', 'Result']);
  });

  test.each(versions)('in a terminal of PostgreSQL %d, each as it is alone', (version) => {
    const answers = [...textAnswers(version).values()];
    const together = readPlans(fixture(`${version}.txt`));
    expect(together).toHaveLength(answers.length);
    expect(together.map(({ plan }) => plan)).toEqual(answers.map((answer) => readPlans(answer)[0]?.plan));
  });

  test('in a terminal, text and JSON by turns', () => {
    const session = `=> explain select 1;\n QUERY PLAN \n-----\n ${text.replaceAll('\n', '\n ')}\n(3 rows)\n\n=> explain (format json) …\n QUERY PLAN \n----\n ${pretty.replaceAll('\n', ' +\n ')}\n(1 row)\n`;
    expect(types(readPlans(session))).toEqual(['Limit', 'Seq Scan']);
  });
});

describe('logs of auto_explain', () => {
  const query = `select *\n\n  from orders -- it's "quoted"\n where note = E'a\\n\tb''c' and total > 3`;

  test.each(['13-text.log', '18-text.log', '18-json.log', '18-csvlog.log', '18-jsonlog.log'])(
    'a real one tells plans, statements and times: %s',
    (name) => {
      const found = readPlans(fixture(name));
      expect(types(found)).toEqual(['Seq Scan', 'Aggregate', 'Aggregate', 'ModifyTable', 'Limit']);
      expect(found[0]).toMatchObject({
        query,
        plan: {
          root: {
            conditions: { filter: `((total > '3'::numeric) AND (note = 'a\n\tb''c'::text))` },
            removed: { filter: 20_000 },
          },
          settings: { work_mem: '64kB' },
        },
      });
      // The values of parameters, which PostgreSQL 16 and later log too, are no part of the statement.
      expect(found[1]?.query).toBe('select count(*) from orders where customer_id = $1 and status = $2');
      expect(found[2]?.plan.root.children).toMatchObject([{ type: 'Named Tuplestore Scan' }]);
      expect(found.every(({ durationMs }) => durationMs !== null && durationMs > 0)).toBe(true);
    },
  );

  test('say the same in text, as CSV and as JSON', () => {
    const log = readPlans(fixture('18-text.log'));
    expect(readPlans(fixture('18-csvlog.log'))).toEqual(log);
    expect(readPlans(fixture('18-jsonlog.log'))).toEqual(log);
    expect(log.map(({ durationMs }) => durationMs)).toEqual([2.725, 0.059, 0.009, 1.697, 44.06]);
  });

  const entry = `duration: 12.345 ms  plan:\n\tQuery Text: select 1\n\t  from t\n\t${text.replaceAll('\n', '\n\t')}`;
  const expected = [
    {
      query: 'select 1\n  from t',
      durationMs: 12.345,
      plan: { root: { type: 'Limit', children: [{ conditions: { filter: "(a = 'x'::text)" } }] } },
    },
  ];

  test.each([
    ['stderr', '2026-01-01 00:00:00 UTC [12] LOG:  '],
    ['RDS', '2026-01-01 00:00:00 UTC:10.0.0.1(5432):app@shop:[123]:LOG:  '],
    ['no prefix', 'LOG:  '],
    ['a prefix with quotes and brackets', '["user=app"] {db} LOG:  '],
  ])('any log_line_prefix will do: %s', (_, prefix) => {
    const log = `${prefix}${entry}\n${prefix}statement: select 2\n${prefix}ERROR:  no\n`;
    expect(readPlans(log)).toMatchObject(expected);
    expect(readPlans(log + log)).toHaveLength(2);
  });

  test.each([
    ['with Windows line ends', `LOG:  ${entry}\nLOG:  x`.replaceAll('\n', '\r\n')],
    ['without its tabs', `LOG:  ${entry}\nLOG:  x`.replaceAll('\t', '')],
    ['with spaces for tabs', `LOG:  ${entry}\nLOG:  x`.replaceAll('\t', '        ')],
    ['with a prefix of a container on every line', `LOG:  ${entry}\nLOG:  x`.replaceAll(/^/gm, 'db-1  | ')],
    [
      'as events of a log service',
      JSON.stringify({ events: [{ message: 'LOG:  ready' }, { message: `UTC [1] LOG:  ${entry}\n` }] }),
    ],
    [
      'as jsonlog in events of a log service',
      JSON.stringify({ events: [{ message: JSON.stringify({ message: entry.replaceAll('\n\t', '\n') }) }] }),
    ],
    ['as the notice that a client gets', entry.replaceAll('\n\t', '\n')],
  ])('an excerpt %s is read', (_, log) => {
    expect(readPlans(log)).toMatchObject(expected);
  });

  test('an entry in JSON ends where the next message begins', () => {
    const json = JSON.stringify({ 'Query Text': 'select 1', Plan: scan }, null, 2);
    const log = `LOG:  duration: 1.5 ms  plan:\n\t${json.replaceAll('\n', '\n\t')}\nLOG:  {"Plan": 1}\n`;
    expect(readPlans(log)).toMatchObject([{ query: 'select 1', durationMs: 1.5 }]);
    expect(readPlans(log.replaceAll('\t', ''))).toMatchObject([{ query: 'select 1', durationMs: 1.5 }]);
  });

  test('an empty line of a statement, from which an editor took the tab, does not end the entry', () => {
    const log = `LOG:  ${entry.replace('\n\t  from', '\n\n\t  from')}\nLOG:  x`;
    expect(readPlans(log)).toMatchObject([{ query: 'select 1\n\n  from t' }]);
  });

  test('an entry that is cut off does not spoil the others', () => {
    const cut = 'LOG:  duration: 1.5 ms  plan:\n\tQuery Text: select 2\n';
    expect(readPlans(`LOG:  ${entry}\n${cut}`)).toMatchObject(expected);
    expect(() => readPlans(cut)).toThrow(/cannot be read/);
  });
});

describe('where there is no plan', () => {
  test.each([
    ['', 'it is neither JSON nor lines that tell costs'],
    ['hello', 'it is neither JSON nor lines that tell costs'],
    ['{}', 'there is no "Plan" in it. Utility statements have none'],
    ['LOG:  ready\nLOG:  duration: 5 ms  statement: select 1', 'it is neither JSON nor lines that tell costs'],
    ['<explain xmlns="http://www.postgresql.org/2009/explain">', 'it is XML. Use FORMAT TEXT or FORMAT JSON'],
    ['- Plan: \n    Node Type: "Result"', 'it is YAML. Use FORMAT TEXT or FORMAT JSON'],
    [pretty.slice(0, 60), 'its JSON is not whole'],
  ])('%j is refused with the reason', (input, reason) => {
    expect(() => readPlans(input)).toThrow(
      expect.objectContaining({ code: 'plan-invalid', message: `The plan cannot be read: ${reason}.` }),
    );
  });
});

describe('hostile input', () => {
  const size = 300_000;
  const fill = (part: string) => part.repeat(Math.ceil(size / part.length));
  const root = `Seq Scan on t  ${cost}\n`;

  // With anything that is not linear these take hours, and the test its time limit.
  test.each<[string, string]>([
    ['spaces', fill(' ')],
    ['empty lines', fill('\n')],
    ['brackets', fill('[')],
    ['nested arrays', '['.repeat(size) + ']'.repeat(size)],
    ['nested objects', fill('{"Plan":')],
    ['quotes', fill('"')],
    ['half markers', fill('duration: ')],
    ['markers on a line', fill('duration: 1.5 ms  plan:')],
    ['markers on lines', fill('duration: 1.5 ms  plan:\n')],
    ['figures on a line', fill(cost)],
    ['topmost nodes', fill(root)],
    ['quotes that never close', root + fill("  Filter: 'a\n")],
    ['names of subplans', root + fill('  CTE x\n')],
    ['subplans', root + fill(`  InitPlan 1\n    ->  Result  ${cost}\n`)],
    ['keys', root + fill('  Group Key: a\n')],
    ['a key of many parts', `${root}  Sort Key: ${fill('a, ')}`],
    ['settings', `${root}Settings: ${fill("a = 'x, ")}`],
    ['triggers', root + fill('Trigger a: time=1.0 calls=1\n')],
    ['workers', root + fill('  Worker 0:  Sort Method: quicksort  Memory: 2kB\n')],
    ['quoted fields', `x,"${fill('duration: 1.5 ms  plan:\n""')}`],
    ['lines of jsonlog', fill('{"message":"duration: 1.5 ms  plan:\\nx"}\n')],
    ['headers', fill('QUERY PLAN\n')],
    [
      'members',
      `{"Plan":${JSON.stringify({ ...scan, 'Node Type': 'ModifyTable', Plans: Array(2_000).fill({ ...scan, 'Parent Relationship': 'Member' }) })}}`,
    ],
  ])('ends soon: %s', (_, input) => {
    try {
      for (const { plan } of readPlans(input)) Plan.parse(plan);
    } catch (error) {
      expect(error).toMatchObject({ name: 'StreamGateError', code: 'plan-invalid' });
    }
  });

  test('of any kind is read, or refused', () => {
    const real = versions.flatMap((version) => [
      ...textAnswers(version).values(),
      ...jsonAnswers(version).map((answer) => JSON.stringify(answer, null, 1)),
    ]);
    const logs = ['13-text.log', '18-json.log', '18-csvlog.log', '18-jsonlog.log'].map(fixture);
    fc.assert(
      fc.property(
        fc.constantFrom(...real, ...logs),
        fc.nat(),
        fc.nat(5_000),
        fc.string({ maxLength: 5 }),
        (input, at, length, junk) => {
          const from = at % input.length;
          try {
            for (const { plan } of readPlans(input.slice(0, from) + junk + input.slice(from + length)))
              Plan.parse(plan);
          } catch (error) {
            expect(error).toMatchObject({ name: 'StreamGateError', code: 'plan-invalid' });
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

test('a plan is the same in a log and alone', () => {
  const [name, answer] = [...textAnswers(18)].find(([statement]) => statement === 'cte') ?? [];
  expect(name).toBe('cte');
  const alone = readPlans(answer ?? '')[0]?.plan as Plan;
  const lines = (answer ?? '').split('\n').slice(2, -2);
  const logged = readPlans(`x LOG:  duration: 1 ms  plan:\n${lines.map((line) => `\t${line.slice(1)}`).join('\n')}\n`);
  expect(logged.map(({ plan }) => comparable(plan))).toEqual([comparable(alone)]);
});
