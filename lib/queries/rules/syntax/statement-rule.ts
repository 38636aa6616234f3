/** What the rules over the syntax of statements have in common: which statements are worth a look, and how a finding reads. */
import * as z from 'zod';
import type { Action, Finding, Severity } from '../../../advice/finding.ts';
import { milliseconds, plural, shortened } from '../../../advice/format.ts';
import { type Draft, defineRule, type Rule } from '../../../advice/rule.ts';
import type { Relation } from '../../catalog.ts';
import type { QueryInput, Statement } from '../../snapshot.ts';
import type { Syntax } from '../../syntax/block.ts';
import { type Tables, tablesOf } from '../../syntax/resolve.ts';
import { syntaxOf } from '../../syntax/syntax.ts';
import {
  basisOf,
  blocksOf,
  type Figures,
  figuresOf,
  impactPerDay,
  period,
  rounded,
  subjectOf,
} from '../counters/figures.ts';

/** What every rule over syntax lets be tuned: a statement that hardly runs, or costs nothing, needs no advice. */
export interface Worth {
  minCalls: number;
  minMeanMs: number;
  minTotalMs: number;
}

/** The options of {@link Worth}, with the defaults that a rule needs. */
export function worth({ minCalls = 10, minMeanMs = 5, minTotalMs = 1_000 }: Partial<Worth> = {}) {
  return {
    /** Statements with fewer calls are left out. */
    minCalls: z.number().int().min(1).default(minCalls),
    /** Statements that take less on average are left out. */
    minMeanMs: z.number().min(0).default(minMeanMs),
    /** Statements that took less in all are left out. */
    minTotalMs: z.number().min(0).default(minTotalMs),
  };
}

/** Options of rules about what a call reads. */
export const reads = {
  /** Blocks that a call reads, on average. */
  minBlocksPerCall: z.number().positive().default(100),
};

/** Options of rules about tables that are read as a whole. */
export const readsTable = {
  ...reads,
  /** Smaller tables are left alone. */
  minRows: z.number().min(0).default(1_000),
};

/** A statement that is worth a look. */
export interface Case<Options> {
  statement: Statement;
  syntax: Syntax;
  tables: Tables;
  figures: Figures;
  rowsPerCall: number;
  blocksPerCall: number;
  input: QueryInput;
  options: Options;
}

/** What a rule says of a statement. */
export interface Verdict {
  severity?: Severity;
  /** The table that it is about, if it is about one. */
  relation?: Relation | undefined;
  /** What is wrong, in a few words; the statement follows. */
  title: string;
  /** Why it is so here. The figures follow. */
  detail: string;
  evidence?: Finding['evidence'];
  action: Action;
}

/** Makes a rule of a judgement of one statement. At most one finding comes of each. */
export function statementRule<Options extends Worth>(
  rule: Omit<Rule<QueryInput, Options>, 'check' | 'docs'> & { judge(statement: Case<Options>): Verdict | undefined },
): Rule<QueryInput, Options> {
  const { judge, ...rest } = rule;
  return defineRule({
    ...rest,
    check(input: QueryInput, options): Draft[] {
      return input.statements.flatMap((statement): Draft[] => {
        const worthwhile = caseOf(input, statement, options);
        const verdict = worthwhile && judge(worthwhile);
        return verdict ? [draft(worthwhile, verdict)] : [];
      });
    },
  });
}

function caseOf<Options extends Worth>(
  input: QueryInput,
  statement: Statement,
  options: Options,
): Case<Options> | undefined {
  const figures = figuresOf(input, statement, options.minCalls);
  if (!figures) return undefined;
  const { calls, meanMs, totalMs, rows } = figures;
  const tooLittle = meanMs < options.minMeanMs || totalMs < options.minTotalMs;
  if (tooLittle || statement.kind === 'utility' || statement.kind === 'unknown') return undefined;
  const syntax = syntaxOf(statement);
  if (!syntax) return undefined;
  const [rowsPerCall, blocksPerCall] = [rows / calls, blocksOf(figures) / calls];
  return { statement, syntax, tables: tablesOf(input.relations), figures, rowsPerCall, blocksPerCall, input, options };
}

function draft<Options>(
  { statement, figures, rowsPerCall, blocksPerCall, input }: Case<Options>,
  verdict: Verdict,
): Draft {
  const { severity, relation, title, detail, evidence = {}, action } = verdict;
  const changes = statement.kind === 'select' ? 'returned' : 'changed';
  return {
    ...(severity ? { severity } : {}),
    subject: {
      ...subjectOf(input, statement),
      ...(relation ? { schema: relation.schema, table: relation.table } : {}),
    },
    title: `${title}: ${shortened(statement.query)}`,
    detail: `${detail} ${period(figures)} ${plural(figures.calls, 'call')} took ${milliseconds(figures.meanMs)} each, read ${plural(blocksPerCall, 'block')} and ${changes} ${plural(rowsPerCall, 'row')}.`,
    evidence: {
      statement: statement.query,
      ...basisOf(figures),
      calls: figures.calls,
      meanMs: rounded(figures.meanMs),
      totalMs: rounded(figures.totalMs),
      rowsPerCall: rounded(rowsPerCall),
      blocksPerCall: rounded(blocksPerCall),
      ...evidence,
    },
    ...impactPerDay(input, { statement, figures }),
    action,
  };
}

/** The first verdict that there is on some parts of a statement. */
export function firstVerdict<Part>(
  parts: Iterable<Part>,
  judge: (part: Part) => Verdict | undefined,
): Verdict | undefined {
  for (const part of parts) {
    const verdict = judge(part);
    if (verdict) return verdict;
  }
  return undefined;
}
