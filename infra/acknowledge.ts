import { Validations } from 'aws-cdk-lib';
import type { IConstruct } from 'constructs';

/**
 * Accepts what a rule of cdk-nag objects to, for one construct and what is in it.
 *
 * @param reasons the rules' ids, each with why it does not hold here: an auditor reads it
 */
export function acknowledge(construct: IConstruct, reasons: Record<string, string>): void {
  Validations.of(construct).acknowledge(...Object.entries(reasons).map(([id, reason]) => ({ id, reason })));
}
