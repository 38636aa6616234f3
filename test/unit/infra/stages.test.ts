import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { checkStage } from '../../../infra/stage.ts';
import { readStage, stageNames } from '../../../infra/stages.ts';

test('a stage of which nothing is said is the least that can be deployed, and dev is chosen where none is named', async () => {
  expect(await readStage()).toEqual({
    name: 'dev',
    logRetentionDays: 30,
    historyRetentionDays: 40,
    requestsPerSecond: 50,
    requestBurst: 100,
    protect: false,
    removeData: false,
    auditEveryMinutes: {},
    network: { kind: 'none' },
    database: { kind: 'settings' },
    cache: { kind: 'postgres' },
    alarms: { everyRoute: false, latencyMs: 50, hitPercent: 98, edgeHitPercent: 80 },
  });
});

test('a stage keeps what is said of it', () => {
  const stage = checkStage('x', { logRetentionDays: 365, alarms: false, auditEveryMinutes: { queries: 30 } });
  expect(stage).toMatchObject({ name: 'x', logRetentionDays: 365, alarms: false, auditEveryMinutes: { queries: 30 } });
});

test('a misspelt key is refused by name, with the keys that there are', () => {
  const read = () => checkStage('prod', { logRetentonDays: 365 });
  expect(read).toThrow(/logRetentonDays/);
  expect(read).toThrow(/has the keys region, account, logRetentionDays, historyRetentionDays/);
  expect(read).toThrow(/infra\/stages\/prod\.ts/);
});

const role = { kind: 'iam', host: 'db.eu-central-1.rds.amazonaws.com', name: 'shop', user: 'u', resourceId: 'db-1' };

test.each([
  [{ logRetentionDays: 31 }, /logRetentionDays/],
  [{ historyRetentionDays: 0 }, /historyRetentionDays/],
  [{ requestsPerSecond: 1.5 }, /requestsPerSecond/],
  [{ requestBurst: 5_001 }, /requestBurst/],
  [{ region: 'Frankfurt' }, /region.*eu-central-1/s],
  [{ account: '123' }, /twelve digits/],
  [{ network: { kind: 'isolatd' } }, /network/],
  [{ network: { kind: 'existing', vpcId: 'vpc-1' } }, /network\.(availabilityZones|subnetIds)/],
  [
    { network: { kind: 'existing', vpcId: 'vpc-1', availabilityZones: ['a', 'b'], subnetIds: ['subnet-1'] } },
    /one for/,
  ],
  [
    { network: { kind: 'existing', vpcId: 'vpc-1', availabilityZones: ['a'], subnetIds: ['subnet-1'] } },
    /routeTableIds.*endpoints: false/s,
  ],
  [{ database: { ...role, host: undefined } }, /database\.host/],
  [{ database: { ...role, resourceId: 'shop' } }, /database\.resourceId/],
  [{ database: { ...role, pasword: 'x' } }, /pasword/],
  [{ database: { ...role, securityGroupId: 'sg-1' } }, /securityGroupId.*Give `network`/s],
  [{ database: { kind: 'secret', secretArn: 'shop' } }, /database\.secretArn/],
  [{ database: { kind: 'aurora' } }, /Give `network`/],
  [{ network: { kind: 'isolated' }, database: { kind: 'aurora', minCapacity: 2 } }, /minCapacity/],
  [{ cache: { kind: 'elasticache' } }, /Give `network`/],
  [{ network: { kind: 'isolated' }, cache: { kind: 'elasticache', maxEcpuPerSecond: 1 } }, /maxEcpuPerSecond/],
  [{ edge: { purge: ['index'] } }, /edge\.purge/],
  [{ edge: { domain: { name: 'x.example' } } }, /edge\.domain\.certificateArn/],
  [{ alarms: { email: 'nobody' } }, /alarms/],
  [{ auditEveryMinutes: { querys: 5 } }, /querys/],
  [{ protect: true, removeData: true }, /removeData/],
  [undefined, /expected object/],
])('%j is refused', (stage, message) => {
  expect(() => checkStage('dev', stage)).toThrow(message);
});

test.each(['prdo', '', '../stage', '__proto__', 7])('an unknown stage is refused: %s', async (name) => {
  await expect(readStage(name)).rejects.toThrow(/There is no stage .*has: dev, prod, trial/);
});

test('a file that says nothing is refused', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'streamgate-stages-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'odd.ts'), 'export const stage = {};');
  await expect(readStage('odd', folder)).rejects.toThrow(/no default export/);
});

test('every stage that there is is right', async () => {
  for (const name of stageNames()) expect((await readStage(name)).name).toBe(name);
});
