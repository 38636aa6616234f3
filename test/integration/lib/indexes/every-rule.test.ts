/** Every rule over indexes, tables and sequences has a fault and a look-alike on a real server: in plants.ts, or in themes/. */
import { expect, test } from 'vitest';
import { indexRules } from '../../../../lib/indexes/rules/index.ts';
import { tableRules } from '../../../../lib/tables/rules/index.ts';
import { everyPlant } from './plants.ts';
import { themes } from './themes/index.ts';
import { missing } from './themes/statements.ts';

const isFault = (each: (typeof everyPlant)[number]) => each.truths.some(({ rule }) => rule === each.of);

/** A theme has both, or it would not compile. */
const weighed = [...themes, missing].map(({ rule }) => rule);
const tried = {
  fault: new Set([...weighed, ...everyPlant.filter(isFault).map((each) => each.of)]),
  'look-alike': new Set([...weighed, ...everyPlant.filter((each) => !isFault(each)).map((each) => each.of)]),
};

test.each([...indexRules, ...tableRules].map(({ id }) => id))(
  '%s has a fault and a look-alike on a real server',
  (id) => {
    for (const [what, rules] of Object.entries(tried)) expect([...rules], what).toContain(id);
  },
);
