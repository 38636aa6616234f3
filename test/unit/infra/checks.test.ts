import type { Stack } from 'aws-cdk-lib';
import { expect, test, vi } from 'vitest';
import { resourceAt, synthesize } from './synthesize.ts';

async function violationsOf(stage: string, spoil?: (stack: Stack) => void): Promise<string[]> {
  const silenced = vi.spyOn(console, 'error').mockImplementation(() => {});
  const { violations, remove } = await synthesize(stage, spoil);
  remove();
  silenced.mockRestore();
  return violations;
}

const unusedIndexes = 'Api/OptimizationIndexesUnused/Function/Resource';

test.each(['dev', 'prod'])(
  '%s: no rule has an objection',
  async (stage) => {
    expect(await violationsOf(stage)).toEqual([]);
  },
  20_000,
);

test('what CloudFormation would refuse is refused at synth', async () => {
  const violations = await violationsOf('dev', (stack) =>
    resourceAt(stack, unusedIndexes).addPropertyOverride('MemorySize', 64),
  );
  expect(violations).toHaveLength(1);
}, 20_000);

test('what AwsSolutions objects to is refused at synth', async () => {
  const violations = await violationsOf('dev', (stack) =>
    resourceAt(stack, 'Api/Stage/Resource').addPropertyDeletionOverride('AccessLogSettings'),
  );
  expect(violations).toContain('AwsSolutions-APIG1');
}, 20_000);
