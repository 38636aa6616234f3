import { type CollectionAnswer, refusalProblem } from '../../../lib/resources/gc/answer.ts';
import { CollectionGuard } from '../../../lib/resources/gc/guard.ts';
import { orderCollection } from '../../../lib/resources/gc/order.ts';
import { chooseDatabase } from '../../../lib/settings.ts';
import { endpoint } from '../../endpoint.ts';
import { orders, settings } from '../../environment.ts';
import { watcher } from '../../monitoring.ts';
import { forceCollection } from '../../routes.ts';

const guard = new CollectionGuard({ memoryLimitBytes: watcher.environment.memoryLimitBytes });

/** POST /optimization/gc/force */
export const handler = endpoint(forceCollection, async ({ parameters, context }) => {
  const { name } = chooseDatabase((await settings()).databases, undefined);
  const data =
    parameters.scope === 'fleet'
      ? await orderAll(parameters.function)
      : collectHere(context.getRemainingTimeInMillis());
  return { body: { data, meta: { takenAt: new Date().toISOString(), database: name, notes: [] } } };

  async function orderAll(of: string | undefined): Promise<CollectionAnswer> {
    const outcome = await orderCollection(await orders(), { function: of ?? null });
    if (outcome.kind === 'refused') throw refusalProblem(outcome);
    const { function: wanted, at, until } = outcome.order;
    return {
      scope: 'fleet',
      function: wanted,
      orderedAt: new Date(at).toISOString(),
      until: new Date(until).toISOString(),
    };
  }
});

function collectHere(remainingMs: number): CollectionAnswer {
  const outcome = guard.collect(remainingMs);
  if (outcome.kind === 'refused') throw refusalProblem(outcome);
  return { scope: 'environment', environment: watcher.environment.id, ...outcome.collection };
}
