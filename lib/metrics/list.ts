import { type Dimensions, type FunctionList, mostFunctions } from './metrics.ts';

/** The first so many functions, in the order of their dimensions. @param isAll whether there are no others */
export function listOf(found: readonly Dimensions[], isAll: boolean): FunctionList {
  const key = ({ service, function: name, stage }: Dimensions) => JSON.stringify([service, name, stage]);
  const functions = found.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));
  return { functions: functions.slice(0, mostFunctions), isComplete: isAll && functions.length <= mostFunctions };
}
