import type { Stack } from 'aws-cdk-lib';
import type { CfnStage } from 'aws-cdk-lib/aws-apigatewayv2';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import type { IConstruct } from 'constructs';
import { expect, test } from 'vitest';
import { synthesize } from './synthesize.ts';

function find<Resource extends IConstruct>(stack: Stack, ...path: string[]): Resource {
  return path.reduce((node: IConstruct, id) => node.node.findChild(id), stack) as Resource;
}

test("what CloudFormation would refuse fails the synth, by CDK's own rules", async () => {
  const synthesis = synthesize('dev', (stack) => {
    find<CfnFunction>(stack, 'StreamGate', 'Api', 'OptimizationIndexesUnused', 'Function', 'Resource').memorySize = 64;
  });
  await expect(synthesis).rejects.toThrow(/64 is less than the minimum of 128/);
}, 120_000);

test('what nobody has acknowledged fails the synth, by each pack of cdk-nag', async () => {
  const synthesis = synthesize('dev', (stack) => {
    const stage = find<CfnStage>(stack, 'StreamGate', 'Api', 'Stage', 'Resource');
    stage.accessLogSettings = undefined;
    stage.defaultRouteSettings = undefined;
  });
  await expect(synthesis).rejects.toThrow(/AwsSolutions-APIG1.*Serverless-APIGWDefaultThrottling/s);
}, 120_000);
