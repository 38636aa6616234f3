/**
 * What every synth is checked with, offline: CDK's own rules for templates (switched on in cdk.json by
 * `@aws-cdk/core:validateAgainstDefaultRules`) and two rule packs of cdk-nag. An error fails the synth.
 */
import { type App, Validations } from 'aws-cdk-lib';
import { AwsSolutionsChecks, ServerlessChecks } from 'cdk-nag';

/** Checks the app at synth. */
export function check(app: App): void {
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new ServerlessChecks(app));
}
