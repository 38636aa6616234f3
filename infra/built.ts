import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Bundle, bundleList } from './entries.ts';

/** Where the bundles are, in an installed package (this file is in dist/library/) and in a checkout. */
const places = ['../functions', '../dist/functions', '../../functions'].map((place) =>
  join(import.meta.dirname, place),
);

/**
 * The functions as they were built, by `npm run build` or by who made the package.
 *
 * @throws Error when they were not
 */
export function builtBundles(): Bundle[] {
  const directory = places.find((place) => existsSync(join(place, bundleList)));
  if (!directory) throw new Error('The functions are not built. In a checkout of StreamGate, npm run build does that.');
  const bundles = JSON.parse(readFileSync(join(directory, bundleList), 'utf8')) as Bundle[];
  return bundles.map((bundle) => ({ ...bundle, directory: join(directory, bundle.directory) }));
}
