/** The CDK app. `npx cdk synth -c stage=prod` builds the functions and writes the template to cdk.out/, offline. */
import { App } from 'aws-cdk-lib';
import { bundle } from './bundle.ts';
import { check } from './checks.ts';
import { ServiceStack } from './service.ts';
import { readStage } from './stages.ts';

const app = new App();
const stage = readStage(app.node.tryGetContext('stages'), app.node.tryGetContext('stage'));
new ServiceStack(app, stage, await bundle());
check(app);
app.synth();
