/** What the rules say of statements that a real server has counted. */
import type { Finding } from '../../../../../lib/advice/finding.ts';
import { queryRules } from '../../../../../lib/queries/rules/index.ts';
import type { QueryInput, Statement } from '../../../../../lib/queries/snapshot.ts';
import { readText } from '../../../../../lib/queries/text.ts';

/** Runs one rule. */
export function findingsOf(input: QueryInput, rule: string, options: object = {}): Finding[] {
  const found = queryRules.find(({ id }) => id === rule);
  if (!found) throw new Error(`There is no rule ${rule}.`);
  return found.check(input, found.options.parse(options));
}

/** The statement that a text was counted as; throws where it is not among them, and a rule would be silent for nothing. */
export function counted({ statements }: { statements: readonly Statement[] }, text: string): Statement {
  const { fingerprint } = readText(text);
  const [statement, ...others] = statements.filter((each) => each.fingerprint === fingerprint);
  if (!statement || others.length > 0) throw new Error(`${statement ? 'Several statements are' : 'None is'} ${text}`);
  return statement;
}

/** What was found about a statement. */
export function about(findings: readonly Finding[], { queryId }: Statement): Finding[] {
  return findings.filter(({ subject }) => subject.queryId === queryId);
}
