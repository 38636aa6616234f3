import * as z from 'zod';
import { StreamGateError } from '../../errors.ts';
import type { RefusedCollection } from './guard.ts';

/** What came of a collection that was asked for. */
export const CollectionAnswer = z
  .union([
    z.strictObject({
      scope: z.literal('environment'),
      /** The environment that has collected. */
      environment: z.string(),
      heapBeforeBytes: z.number(),
      heapAfterBytes: z.number(),
      externalBeforeBytes: z.number(),
      externalAfterBytes: z.number(),
      durationMs: z.number(),
    }),
    z.strictObject({
      scope: z.literal('fleet'),
      /** The function whose environments are to collect; null for those of all functions. */
      function: z.string().nullable(),
      orderedAt: z.string(),
      /** An environment that is not invoked until then does not collect. */
      until: z.string(),
    }),
  ])
  .meta({ id: 'CollectionAnswer', description: 'What came of a collection that was asked for.' });
export type CollectionAnswer = z.infer<typeof CollectionAnswer>;

/** A refusal as the problem that the caller gets. */
export function refusalProblem({ reason, retryAfterMs }: RefusedCollection): StreamGateError {
  const again = retryAfterMs === null ? '' : ` Try again in ${Math.ceil(retryAfterMs / 1_000)} s.`;
  return new StreamGateError(`collection-${reason}`, `${because[reason]}${again}`);
}

const because: Record<RefusedCollection['reason'], string> = {
  'not-possible': 'This Node.js cannot be told to collect garbage. Start it with --expose-gc.',
  running: 'A collection is under way.',
  'too-soon': 'The last collection was too short a time ago: each one stops the function.',
  'too-little-time': 'A collection would take more than a tenth of the time that this invocation has left.',
};
