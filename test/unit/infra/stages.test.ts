import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { readStage } from '../../../infra/stages.ts';

test('a stage of which nothing is said has the defaults, and dev is chosen where none is named', () => {
  expect(readStage({ dev: {} })).toEqual({
    name: 'dev',
    logRetentionDays: 30,
    historyRetentionDays: 40,
    requestsPerSecond: 50,
    requestBurst: 100,
    protect: false,
  });
});

test('a stage keeps what is said of it', () => {
  const stages = { dev: {}, prod: { logRetentionDays: 365, protect: true } };
  expect(readStage(stages, 'prod')).toMatchObject({ name: 'prod', logRetentionDays: 365, protect: true });
});

test('an unknown key is refused by name, with the keys that there are', () => {
  const read = () => readStage({ dev: {}, prod: { logRetentonDays: 365 } }, 'prod');
  expect(read).toThrow(/logRetentonDays/);
  expect(read).toThrow(/has the keys logRetentionDays, historyRetentionDays/);
  expect(read).toThrow(/prod/);
});

test('a mistake in another stage is refused too, before it is deployed', () => {
  expect(() => readStage({ dev: {}, prod: { protect: 'yes' } }, 'dev')).toThrow(/prod\.protect/);
});

test.each([
  [{ logRetentionDays: 31 }, /logRetentionDays/],
  [{ historyRetentionDays: 0 }, /historyRetentionDays/],
  [{ requestsPerSecond: 1.5 }, /requestsPerSecond/],
  [{ requestBurst: 5_001 }, /requestBurst/],
])('%j is refused', (stage, message) => {
  expect(() => readStage({ dev: stage })).toThrow(message);
});

test.each(['prdo', '', '__proto__', 'toString', 7])('an unknown stage is refused: %s', (name) => {
  expect(() => readStage({ dev: {}, prod: {} }, name)).toThrow(/There is no stage .*has: dev, prod/);
});

test('no stages at all are refused', () => {
  expect(() => readStage(undefined)).toThrow(/cdk\.json/);
});

test('every stage in cdk.json is right', () => {
  const { context } = JSON.parse(readFileSync('cdk.json', 'utf8')) as { context: { stages: object } };
  for (const name of Object.keys(context.stages)) expect(readStage(context.stages, name).name).toBe(name);
});
