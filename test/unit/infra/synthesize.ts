import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, type Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { bundle } from '../../../infra/bundle.ts';
import { check } from '../../../infra/checks.ts';
import type { Bundle } from '../../../infra/entries.ts';
import { StreamGateStack } from '../../../infra/stack.ts';
import type { Stage } from '../../../infra/stage.ts';
import { readStage } from '../../../infra/stages.ts';

/** What `cdk synth` makes, without the command line. */
export interface Synthesis {
  template: Template;
  /** The templates of all stacks. */
  templates: Template[];
  bundles: Bundle[];
  /** A file of the asset that the template names by its S3 key. */
  asset(key: string, file: string): Buffer;
  remove(): void;
}

const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: Record<string, unknown> };

/**
 * Builds the functions into a temporary folder, and synthesizes a stage with the context of cdk.json.
 *
 * @param stage one, or the name of one that has a file
 * @param spoil changes the stack before it is synthesized
 * @throws Error with the rules that object
 */
export async function synthesize(stage: string | Stage = 'dev', spoil?: (stack: Stack) => void): Promise<Synthesis> {
  const directory = mkdtempSync(join(tmpdir(), 'streamgate-synth-'));
  const remove = () => rmSync(directory, { recursive: true, force: true });
  try {
    const bundles = await bundle(join(directory, 'functions'));
    const app = new App({ context, outdir: join(directory, 'cdk.out'), analyticsReporting: false, stackTraces: false });
    const stack = new StreamGateStack(app, typeof stage === 'string' ? await readStage(stage) : stage, bundles);
    spoil?.(stack);
    check(app);
    const assembly = app.synth();
    return {
      template: Template.fromJSON(assembly.getStackByName(stack.stackName).template),
      templates: assembly.stacks.map((made) => Template.fromJSON(made.template)),
      bundles,
      asset: (key, file) => readFileSync(join(assembly.directory, `asset.${key.replace('.zip', '')}`, file)),
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}
