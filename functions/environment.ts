/**
 * What the functions of one execution environment share: made at first use, and kept for as long as
 * the environment lives.
 */
import { type RuleConfiguration, readConfiguration } from '../lib/advice/configuration.ts';
import { roster } from '../lib/audit.ts';
import { type History, openHistory } from '../lib/postgres/history.ts';
import { readSettings, type Settings } from '../lib/settings.ts';

let made: { settings?: Settings; history?: History; configuration?: RuleConfiguration } = {};

/** The checked settings. */
export function settings(): Settings {
  made.settings ??= readSettings();
  return made.settings;
}

/** The history store. */
export function history(): History {
  made.history ??= openHistory(settings().historyUrl);
  return made.history;
}

/** Which rules run, and how. */
export function configuration(): RuleConfiguration {
  made.configuration ??= readConfiguration(settings().configPath, roster);
  return made.configuration;
}

/** Lets go of everything: at the end of local mode and between tests. */
export async function closeEnvironment(): Promise<void> {
  const { history: open } = made;
  made = {};
  await open?.close();
}
