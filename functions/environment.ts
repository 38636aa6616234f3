/**
 * What the functions of one execution environment share: made at first use, and kept for as long as
 * the environment lives and the settings stay the same.
 */
import { type RuleConfiguration, readConfiguration } from '../lib/advice/configuration.ts';
import { roster } from '../lib/audit.ts';
import { type History, openHistory } from '../lib/postgres/history.ts';
import { readSettings, type Settings } from '../lib/settings.ts';
import { readSecret } from './secret.ts';

let read: { from: object; settings: Settings } | undefined;
let opened: { url: string; history: History } | undefined;

/** The checked settings: environment variables and, in a deployment, the secret that STREAMGATE_SECRET_ARN names. */
export async function settings(): Promise<Settings> {
  const arn = process.env.STREAMGATE_SECRET_ARN;
  const from = arn ? await readSecret(arn) : process.env;
  if (read?.from !== from) read = { from, settings: readSettings(arn ? { ...process.env, ...from } : process.env) };
  return read.settings;
}

/** The history store. */
export async function history(): Promise<History> {
  const { historyUrl } = await settings();
  if (opened?.url === historyUrl) return opened.history;
  const outdated = opened;
  opened = { url: historyUrl, history: openHistory(historyUrl) };
  await outdated?.history.close();
  return opened.history;
}

/** Which rules run, and how. */
export async function configuration(): Promise<RuleConfiguration> {
  return readConfiguration((await settings()).configPath, roster);
}

/** Lets go of everything: at the end of local mode and between tests. */
export async function closeEnvironment(): Promise<void> {
  const open = opened;
  read = undefined;
  opened = undefined;
  await open?.history.close();
}
