import { setFlagsFromString } from 'node:v8';

/**
 * The fingerprints of texts, as an audit has them. They take PostgreSQL's parser (`libpg-query`): where it is not installed, or
 * a bundle has left it out, and of a text that cannot be parsed, they are null.
 */
export async function fingerprintsOf(queries: readonly string[]): Promise<readonly (string | null)[]> {
  try {
    // By itself: of a module that needs it, a bundle would load it from the beginning.
    const { fingerprintSync, loadModule } = await import('libpg-query');
    await loadModule();
    return withoutOptimizer(() => queries.map((query) => fingerprintOf(query, fingerprintSync)));
  } catch {
    return queries.map(() => null);
  }
}

function fingerprintOf(query: string, fingerprintSync: (query: string) => string): string | null {
  try {
    return fingerprintSync(query);
  } catch {
    return null;
  }
}

/**
 * Keeps V8 from optimizing the parser, which for its tables takes 550 MB (Node.js 24), but no WebAssembly of the application's:
 * what is hot is optimized while it runs.
 */
function withoutOptimizer<Result>(work: () => Result): Result {
  const flags = ['wasm-tier-up', 'wasm-dynamic-tiering'];
  for (const flag of flags) setFlagsFromString(`--no-${flag}`);
  try {
    return work();
  } finally {
    for (const flag of flags) setFlagsFromString(`--${flag}`);
  }
}
