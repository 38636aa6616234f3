import { describe, expect, test } from 'vitest';
import { describeEnvironment, initMs, isSequential } from '../../../../../lib/resources/monitor/environment.ts';
import { type MonitorOptions, monitorSettings } from '../../../../../lib/resources/monitor/options.ts';

const sink = () => {};
const lambda = {
  AWS_LAMBDA_FUNCTION_NAME: 'checkout',
  AWS_LAMBDA_FUNCTION_VERSION: '7',
  AWS_LAMBDA_FUNCTION_MEMORY_SIZE: '512',
  STREAMGATE_STAGE: 'prod',
};

test('options have defaults, outside of Lambda', () => {
  expect(monitorSettings({}, {}, sink)).toEqual({
    function: 'local',
    version: 'local',
    stage: 'default',
    sampleEvery: 10,
    floorEvery: 100,
    ring: 120,
    sink: undefined,
  });
});

test('on Lambda they are what Lambda says, and samples go to the log', () => {
  const settings = monitorSettings({}, lambda, sink);
  expect(settings).toMatchObject({ function: 'checkout', version: '7', stage: 'prod', sink });
  expect(monitorSettings({ sink: false }, lambda, sink).sink).toBeUndefined();
  expect(monitorSettings({ floorEvery: false }, lambda, sink).floorEvery).toBe(Number.POSITIVE_INFINITY);
  expect(describeEnvironment(settings, lambda)).toMatchObject({
    function: 'checkout',
    memoryLimitBytes: 512 * 2 ** 20,
    nodeVersion: process.versions.node,
  });
  expect(describeEnvironment(settings, {}).memoryLimitBytes).toBeNull();
});

test('two environments of a function have different ids', () => {
  const settings = monitorSettings({}, lambda, sink);
  expect(describeEnvironment(settings, lambda).id).not.toBe(describeEnvironment(settings, lambda).id);
});

test.each([
  [{ floorevery: 5 }, 'there is no option "floorevery"'],
  [{ sampleEvery: 0 }, 'sampleEvery: 0'],
  [{ sampleEvery: 1.5 }, 'sampleEvery: 1.5'],
  [{ floorEvery: Number.NaN }, 'floorEvery: NaN'],
  [{ floorEvery: true }, 'floorEvery: true'],
  [{ ring: -1 }, 'ring: -1'],
  [{ function: '' }, 'function: ""'],
  [{ stage: 'prød' }, 'stage: "prød"'],
  [{ version: 7 }, 'version: 7'],
  [{ sink: 'log' }, 'sink: neither'],
])('%j is refused', (options, message) => {
  expect(() => monitorSettings(options as MonitorOptions, {}, sink)).toThrow(
    expect.objectContaining({
      name: 'MonitorError',
      code: 'option-invalid',
      message: expect.stringContaining(message),
    }),
  );
});

describe('the init phase', () => {
  test('ends with the first invocation', () => {
    expect(initMs({ AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' }, 312.4)).toBe(312);
  });

  test.each([
    ['with provisioned concurrency', { AWS_LAMBDA_INITIALIZATION_TYPE: 'provisioned-concurrency' }, 312],
    ['when the environment was made ahead of it', { AWS_LAMBDA_INITIALIZATION_TYPE: 'on-demand' }, 10_001],
    ['outside of Lambda', {}, 312],
  ])('is not known %s', (_, env, at) => {
    expect(initMs(env, at)).toBeNull();
  });
});

test('one invocation at a time is what Lambda gives, but not its managed instances, nor a server', () => {
  expect(isSequential(lambda, true)).toBe(true);
  expect(isSequential(lambda, false)).toBe(false);
  expect(isSequential({ ...lambda, AWS_LAMBDA_MAX_CONCURRENCY: '64' }, true)).toBe(false);
  expect(isSequential({}, true)).toBe(false);
});
