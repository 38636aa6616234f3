/** Finds the file of a stage: infra/stages/prod.ts for `-c stage=prod`. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { checkStage, type Stage } from './stage.ts';

const directory = join(import.meta.dirname, 'stages');

/** The stages that have a file. */
export function stageNames(folder = directory): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith('.ts'))
    .map((file) => file.slice(0, -'.ts'.length))
    .sort();
}

/**
 * Reads and checks a stage.
 *
 * @param name what the CDK context has under `stage`; nothing is `dev`
 * @throws Error that says what would be right
 */
export async function readStage(name: unknown = 'dev', folder = directory): Promise<Stage> {
  const names = stageNames(folder);
  if (typeof name !== 'string' || !names.includes(name)) {
    throw new Error(`There is no stage "${name}". infra/stages/ has: ${names.join(', ')}.`);
  }
  const file = pathToFileURL(join(folder, `${name}.ts`)).href;
  const { default: settings } = (await import(file)) as { default?: unknown };
  if (settings === undefined)
    throw new Error(`infra/stages/${name}.ts has no default export. Write export default defineStage({ … }).`);
  return checkStage(name, settings);
}
