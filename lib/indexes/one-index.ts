import type { Finding } from '../advice/finding.ts';
import { missing } from './rules/missing.ts';
import { madeIndex, onlyIndex, serves } from './same-index.ts';

/** What the advisor wants: findings of `indexes/missing`, or recommendations. */
export type Wanted = Pick<Finding, 'rule' | 'action'>;

/**
 * Lets findings that ask for an index refer to the one that the advisor proposes, where that does what theirs would: several rules see the same
 * fault, the advisor alone weighs all statements, and whoever follows every finding makes each index once. The parser must have been loaded
 * (`loadParser`).
 *
 * @param wanted those of other rules are left out
 */
export function withOneIndex(findings: readonly Finding[], wanted: readonly Wanted[]): Finding[] {
  const chosen = wanted.filter(({ rule }) => rule === missing.id);
  const proposed = chosen.flatMap(({ action }) => {
    const index = action?.sql === undefined ? undefined : madeIndex(action.sql);
    return action && index ? [{ action, index }] : [];
  });
  return findings.map((finding) => {
    const sql = finding.rule === missing.id ? undefined : finding.action?.sql;
    const own = sql === undefined ? undefined : onlyIndex(sql);
    const found = own && proposed.find(({ index }) => serves(index, own) && index.key !== own.key);
    return found
      ? {
          ...finding,
          detail: `${finding.detail} The index that ${missing.id} proposes for the table does this, too.`,
          action: found.action,
        }
      : finding;
  });
}
