import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audits } from '../../../functions/routes.ts';
import { bundle } from '../../../infra/bundle.ts';
import type { Bundle } from '../../../infra/entries.ts';
import { StreamGate, type StreamGateProps } from '../../../infra/streamgate.ts';

let directory: string;
let bundles: Bundle[];

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamgate-configuration-'));
  bundles = await bundle(join(directory, 'functions'));
}, 60_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const rules = { 'indexes/unused': false } as const;

function made(name: string, configuration: StreamGateProps['configuration']) {
  const app = new App({ outdir: join(directory, name), analyticsReporting: false });
  const stack = new Stack(app, 'Shop');
  new StreamGate(stack, 'StreamGate', { bundles, configuration, alarms: false });
  const template = Template.fromJSON(app.synth().getStackByName(stack.stackName).template);
  const [layer, ...others] = Object.entries(template.findResources('AWS::Lambda::LayerVersion'));
  expect(others).toEqual([]);
  const key: string | undefined = layer?.[1].Properties.Content.S3Key;
  const file =
    key && readFileSync(join(app.outdir, `asset.${key.replace('.zip', '')}`, 'streamgate.config.json'), 'utf8');
  const functions = Object.values(template.findResources('AWS::Lambda::Function')).map(({ Properties }) => Properties);
  const told = functions.filter(({ Environment }) => Environment.Variables.STREAMGATE_CONFIG);
  return { layer: layer?.[0], file, functions, told };
}

test('audits are given the configuration, in a layer, and nobody else is', () => {
  const { layer, file, told, functions } = made('object', { rules });
  expect(JSON.parse(file ?? '')).toEqual({ rules });
  expect(told.map(({ Description }) => Description).sort()).toEqual(
    audits.map(({ part }) => `Audits the ${part} of every configured database.`).sort(),
  );
  for (const { Environment, Layers } of told) {
    expect(Environment.Variables.STREAMGATE_CONFIG).toBe('/opt/streamgate.config.json');
    expect(Layers).toContainEqual({ Ref: layer });
  }
  for (const { Layers } of functions.filter((each) => !told.includes(each)))
    expect(JSON.stringify(Layers ?? [])).not.toContain(layer);
}, 120_000);

test('a file is given as it is', () => {
  const path = join(directory, 'streamgate.config.json');
  const text = '{ "$schema": "x",  "rules": {} }';
  writeFileSync(path, text);
  expect(made('path', path).file).toBe(text);
}, 120_000);

test('without one nothing is added', () => {
  const { layer, told } = made('none', undefined);
  expect(layer).toBeUndefined();
  expect(told).toEqual([]);
}, 120_000);

test.each([
  ['a rule that there is not', { rules: { 'indexes/unusd': false } }, /StreamGate: there is no rule "indexes\/unusd"/],
  [
    'an option that there is not',
    { rules: { 'indexes/unused': { minimumDay: 1 } } },
    /rule "indexes\/unused": .*minimumDay/,
  ],
  ['a misspelt key', { rule: {} }, /rule/],
  ['a file that is not there', 'nowhere.json', /nowhere\.json/],
])(
  '%s fails the synth, by name',
  (_, configuration, message) => {
    expect(() => made('wrong', configuration as StreamGateProps['configuration'])).toThrow(message);
  },
  120_000,
);
