/** The CDK app. `npx cdk synth -c stage=prod` builds the functions and writes the templates to cdk.out/, offline. */
import { App } from 'aws-cdk-lib';
import { bundle } from './bundle.ts';
import { check } from './checks.ts';
import { StreamGateStack } from './stack.ts';
import { readStage } from './stages.ts';

const app = new App();
const stage = await readStage(app.node.tryGetContext('stage'));
new StreamGateStack(app, stage, await bundle());
check(app);
app.synth();
