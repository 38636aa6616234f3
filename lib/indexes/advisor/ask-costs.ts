/** Asks for the costs of many statements together, some plans at a time: in between the deadline is looked at. */
import type { Candidate } from './candidate.ts';
import { type Cost, type CostSource, OutOfTime } from './cost-source.ts';

/** A statement, and the sets with which its cost is wanted. No other question of a list is of the same statement. */
export interface CostQuestion {
  queryId: string;
  sets: readonly (readonly Candidate[])[];
}

/** So many plans are asked for at once. */
const batch = 32;

/**
 * Asks a source.
 *
 * @returns of each question the costs of its sets; fewer than sets where the time was up
 * @throws StreamGateError when the database cannot be asked
 */
export async function askCosts(
  source: CostSource,
  questions: readonly CostQuestion[],
  isOver: () => boolean,
): Promise<Cost[][]> {
  const answers = questions.map((): Cost[] => []);
  for (const part of partsOf(questions)) {
    if (isOver()) break;
    const found = await Promise.allSettled(
      part.map(({ place, sets }) => source.costs((questions[place] as CostQuestion).queryId, sets)),
    );
    // What was answered is kept, whatever became of the others.
    for (const [i, { place }] of part.entries()) {
      const costs = found[i];
      if (costs?.status === 'fulfilled') answers[place]?.push(...costs.value);
    }
    const failed = found.find((each) => each.status === 'rejected' && !(each.reason instanceof OutOfTime));
    if (failed?.status === 'rejected') throw failed.reason;
    if (found.some(({ status }) => status === 'rejected')) break;
  }
  return answers;
}

interface Part {
  /** Of the question. */
  place: number;
  sets: CostQuestion['sets'];
}

/** The questions in their order, cut into batches. */
function partsOf(questions: readonly CostQuestion[]): Part[][] {
  const parts: Part[][] = [];
  let room = 0;
  for (const [place, { sets }] of questions.entries()) {
    for (let from = 0; from < sets.length; ) {
      if (room === 0) {
        parts.push([]);
        room = batch;
      }
      const some = sets.slice(from, from + room);
      parts.at(-1)?.push({ place, sets: some });
      from += some.length;
      room -= some.length;
    }
  }
  return parts;
}
