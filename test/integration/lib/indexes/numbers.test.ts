/** Tables at random whose numbers are known: the rules that weigh them find what is a fault, and nothing that only looks like one. */
import { describe, expect, it } from 'vitest';
import { runRules } from '../../../../lib/advice/configuration.ts';
import { indexRules } from '../../../../lib/indexes/rules/index.ts';
import { tableRules } from '../../../../lib/tables/rules/index.ts';
import { collect, createDatabase } from '../../database.ts';
import { themes } from './themes/index.ts';
import { choose, compare, playStep, seed, versionNumberOf } from './themes/play.ts';

/** Every index and every table of a page is measured. */
const all = { budgetBytes: 1024 ** 3, minBytes: 8192, timeMs: 60_000 };

const day = 86_400_000;

describe(`tables at random (seed ${seed})`, () => {
  it.each(themes.map((theme) => [theme.rule, theme] as const))(
    '%s finds every fault and nothing else',
    async (rule, theme) => {
      const database = await createDatabase();
      try {
        const scenes = choose(theme, { perKind: 2, versionNumber: await versionNumberOf(database) });
        const steps = Math.max(...scenes.map((scene) => scene.steps.length));
        for (let step = 0; step < steps; step++) await playStep(database, scenes, step);
        const snapshot = await collect(database.url, all, all);
        const takenAt = new Date(Date.parse(snapshot.takenAt) + (theme.days ?? 0) * day).toISOString();
        const rules = [...indexRules, ...tableRules].filter(({ id }) => id === rule);
        const findings = runRules(rules, { ...snapshot, takenAt }, { [rule]: theme.options ?? {} });
        expect(compare(theme, scenes, findings)).toEqual({ wrong: [], precision: 1, recall: 1 });
      } finally {
        await database.drop();
      }
    },
  );
});
