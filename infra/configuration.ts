import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RemovalPolicy, Stage } from 'aws-cdk-lib';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import { Construct } from 'constructs';
import { parseConfiguration } from '../lib/advice/configuration.ts';
import { roster } from '../lib/audit.ts';
import type { ServiceFunction } from './function.ts';

/** What `streamgate.config.json` holds: a rule's options, or `false` to switch it off. */
export interface RuleSettings {
  rules?: Record<string, false | Record<string, unknown>>;
}

const fileName = 'streamgate.config.json';

/** Where Lambda puts what is in a layer. https://docs.aws.amazon.com/lambda/latest/dg/packaging-layers.html */
const layerDirectory = '/opt';

/** The file that switches rules off and tunes them, as a layer beside the code of the audits, which was built without it. */
export class Configuration extends Construct {
  readonly #layer: lambda.LayerVersion;

  /**
   * @param given the file's path, or what would be in it
   * @throws StreamGateError `configuration-invalid`, naming the rule or the option; Error for a file that is not there
   */
  constructor(scope: Construct, id: string, given: string | RuleSettings) {
    super(scope, id);
    const text = typeof given === 'string' ? readFileSync(given, 'utf8') : JSON.stringify(given, null, 2);
    parseConfiguration(typeof given === 'string' ? given : `configuration of ${scope.node.path}`, text, roster);
    const directory = join(Stage.of(this)?.outdir ?? '.', `streamgate-configuration-${this.node.addr}`);
    mkdirSync(directory, { recursive: true });
    writeFileSync(join(directory, fileName), text);
    this.#layer = new lambda.LayerVersion(this, 'Layer', {
      code: lambda.Code.fromAsset(directory),
      description: 'Which rules StreamGate runs, and with which options.',
      removalPolicy: RemovalPolicy.DESTROY,
    });
  }

  /** Lets a function read it: it goes before a file that was built with the code. */
  bind(to: ServiceFunction): void {
    to.lambda.addLayers(this.#layer);
    to.lambda.addEnvironment('STREAMGATE_CONFIG', `${layerDirectory}/${fileName}`);
  }
}
