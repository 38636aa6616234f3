/**
 * What is left out of functions that somebody waits for: code that is in what they import, and that none of them runs. Some 60 kB, and 10 ms of a cold start.
 * None of it changes what a function does; the tests run the bytes that come out.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'esbuild';

const namespace = 'left-out';

/**
 * Of pg: its other implementation, over libpq, which needs a module that is not installed; and the reader of `~/.pgpass`, a file that Lambda has none of, which
 * pg asks for a password that nobody gave.
 */
export const plainPostgres: Plugin = {
  name: 'plain PostgreSQL',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^\.\/native$/ }, ({ importer }) =>
      /[\\/]node_modules[\\/]pg[\\/]/.test(importer) ? { path: 'pg/native', namespace } : undefined,
    );
    onResolve({ filter: /^pgpass$/ }, () => ({ path: 'pgpass', namespace }));
    onLoad({ filter: /^pg\/native$/, namespace }, () => ({
      contents: `throw Object.assign(new Error('pg-native is not in this bundle.'), { code: 'MODULE_NOT_FOUND' });`,
    }));
    onLoad({ filter: /^pgpass$/, namespace }, () => ({
      contents: 'module.exports = (connection, done) => done(undefined);',
    }));
  },
};

/** Of zod: JSON Schema, which only the description of the API is made of. Every schema can describe itself, so esbuild sees a use of it. */
export const noJsonSchema: Plugin = {
  name: 'no JSON Schema',
  setup({ onLoad }) {
    onLoad(
      { filter: /[\\/]zod[\\/]v4[\\/]core[\\/](?:to-json-schema|json-schema-processors)\.js$/ },
      async ({ path }) => {
        const source = await readFile(path, 'utf8');
        const names = [...source.matchAll(/^export (?:const|function) (\w+)/gm)].map(([, name]) => name);
        const others = [...source.matchAll(/^export \{ (?:\w+ as )?(\w+) \};/gm)].map(([, name]) => name);
        return {
          contents: `const refuse = () => { throw new Error('JSON Schema is not in this bundle.'); };
            export { ${[...names, ...others].map((name) => `refuse as ${name}`).join(', ')} };`,
        };
      },
    );
  },
};

/** Where a schema or a route made of schemas begins: `z.object(…)`, `Finding.extend(…)`, `listOf(…)`. Not the functions themselves. */
const schema =
  /(?<![\w.$]|function )(?=z\s*\.\s*\w+[(.]|[A-Z]\w*\.(?:extend|omit|pick|optional|nullable)\(|(?:list|ofFunctions|listOf|objectOf)\()/g;

/**
 * Of our own: schemas of answers, which only the description of the API and the tests read. To make a schema has no effect, which esbuild cannot know
 * of a call; so it is said before each, and esbuild drops those that nothing refers to.
 */
export const unusedSchemas: Plugin = {
  name: 'unused schemas',
  setup({ initialOptions, onLoad }) {
    const { absWorkingDir = process.cwd() } = initialOptions;
    onLoad({ filter: /[\\/](?:lib|functions)[\\/].*\.ts$/ }, async ({ path }) => {
      if (path.startsWith(join(absWorkingDir, 'node_modules'))) return undefined;
      const source = await readFile(path, 'utf8');
      if (!source.includes("from 'zod'")) return undefined;
      return { contents: source.replace(schema, '/* @__PURE__ */ '), loader: 'ts' };
    });
  },
};
