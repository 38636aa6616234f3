import { nodesOf, type Plan } from './plan/tree.ts';
import { readText } from './text.ts';

/** What has only names and parameters. */
const harmless = /^(?:[^'\d]|\$\d+|(?<=[\p{L}_\d])\d|(?<=(?:Sub|Init)Plan )\d+)*$/u;

/**
 * A plan with $n for its constants. Those of the statement are parameters already; others come from views, policies and
 * the bodies of functions, where people write them as well. The parser must have been loaded.
 */
export function maskedPlan(plan: Plan): Plan {
  const masked = structuredClone(plan);
  for (const { node } of nodesOf(masked)) {
    node.conditions = Object.fromEntries(
      Object.entries(node.conditions).map(([name, condition]) => [name, condition && maskedExpression(condition)]),
    );
    for (const name of ['sortKey', 'presortedKey', 'groupKey'] as const) {
      const keys = node[name];
      if (keys) node[name] = keys.map(maskedExpression);
    }
  }
  return masked;
}

function maskedExpression(expression: string): string {
  if (harmless.test(expression)) return expression;
  // The number of a part of the plan is in its name: as a quoted one it is let alone.
  const named = expression.replaceAll(/\b((?:Sub|Init)Plan \d+)/g, '"$1"');
  return readText(named).text.replaceAll(/"((?:Sub|Init)Plan \d+)"/g, '$1');
}
