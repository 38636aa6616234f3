/**
 * What every synth is checked with, offline: CDK's own rules for templates (switched on in cdk.json by
 * `@aws-cdk/core:validateAgainstDefaultRules`) and two rule packs of cdk-nag. An error fails the synth.
 */
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';
import type { IConstruct } from 'constructs';

/** Checks the app at synth. */
export function check(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
}

/**
 * Accepts what a rule objects to, for one construct and what is in it.
 *
 * @param reasons the rules' ids, each with why it does not hold here: an auditor reads it
 */
export function acknowledge(construct: IConstruct, reasons: Record<string, string>): void {
  Validations.of(construct).acknowledge(...Object.entries(reasons).map(([id, reason]) => ({ id, reason })));
}
