/** A function for the tests of the rules: it does nothing unusual, but for what is overridden. */
import type { FunctionResources, ResourceSnapshot } from '../../../../../lib/resources/snapshot.ts';
import { summarize } from '../../../../../lib/resources/summarize.ts';
import { series } from '../leak-series.ts';

/** What of a function goes its own way: parts of it, however deep. */
export type Overrides = { [Name in keyof FunctionResources]?: DeepPartial<FunctionResources[Name]> };

type DeepPartial<Part> = Part extends readonly unknown[]
  ? Part
  : Part extends object
    ? { [Name in keyof Part]?: DeepPartial<Part[Name]> }
    : Part;

const healthy = summarize([series({ invocations: 2_000 })])[0] as FunctionResources;

/** A function of a healthy environment of 2,000 invocations, with its parts overridden. */
export function resources(overrides: Overrides = {}): FunctionResources {
  return merged(healthy, overrides) as FunctionResources;
}

/** A snapshot of it alone. */
export function snapshot(overrides: Overrides = {}): ResourceSnapshot {
  return { takenAt: '2026-01-02T00:00:00.000Z', database: 'shop', functions: [resources(overrides)], notes: [] };
}

function merged(whole: unknown, part: unknown): unknown {
  if (part === undefined) return whole;
  const isPlain = (value: unknown): value is Record<string, unknown> =>
    typeof value === 'object' && value !== null && !Array.isArray(value);
  if (!isPlain(whole) || !isPlain(part)) return part;
  const names = new Set([...Object.keys(whole), ...Object.keys(part)]);
  return Object.fromEntries([...names].map((name) => [name, merged(whole[name], part[name])]));
}
