import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type CfnResource, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { type Bundle, bundle } from '../../../infra/bundle.ts';
import { check } from '../../../infra/checks.ts';
import { ServiceStack } from '../../../infra/service.ts';
import { readStage } from '../../../infra/stages.ts';

/** What `cdk synth` makes, without the command line. */
export interface Synthesis {
  template: Template;
  bundles: Bundle[];
  /** The file of an asset that the template names by its S3 key. */
  asset(key: string, file: string): Buffer;
  /** The rules that objected, with what they objected to. */
  violations: string[];
  remove(): void;
}

interface Report {
  pluginReports: { violations: { ruleName: string; violatingConstructs?: { constructPath?: string }[] }[] }[];
}

const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> };

/**
 * Builds the functions into a temporary folder, and synthesizes a stage with the context of cdk.json.
 *
 * @param spoil changes the stack before it is synthesized
 */
export async function synthesize(stageName = 'dev', spoil?: (stack: Stack) => void): Promise<Synthesis> {
  const directory = mkdtempSync(join(tmpdir(), 'streamgate-synth-'));
  const bundles = await bundle(join(directory, 'functions'));
  const outdir = join(directory, 'cdk.out');
  const app = new App({ context, outdir, analyticsReporting: false });
  const stack = new ServiceStack(app, readStage(context.stages, stageName), bundles);
  spoil?.(stack);
  check(app);
  // A violation is told by the exit code of the process, which here is the test runner's.
  const { exitCode } = process;
  app.synth();
  process.exitCode = exitCode;
  const read = (file: string) => readFileSync(join(outdir, file));
  const { pluginReports } = JSON.parse(String(read('validation-report.json'))) as Report;
  return {
    template: Template.fromJSON(JSON.parse(String(read(`${stack.stackName}.template.json`)))),
    bundles,
    asset: (key, file) => read(join(`asset.${key.replace('.zip', '')}`, file)),
    violations: pluginReports.flatMap(({ violations }) => violations.map((violation) => violation.ruleName)),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The resource of CloudFormation at a path in the stack. */
export function resourceAt(stack: Stack, path: string): CfnResource {
  const found = path.split('/').reduce((node, id) => node.node.findChild(id), stack as Stack['node']['root']);
  return found as CfnResource;
}
