import * as z from 'zod';
import { bytes, count } from '../../advice/format.ts';
import { type Draft, defineRule } from '../../advice/rule.ts';
import type { CacheSnapshot } from '../snapshot.ts';

/**
 * `cache/service-evictions`: the service behind the second level gives up keys by itself. The store keeps to a number of entries (`maxEntries`), knows what was
 * used least and removes that; the service knows bytes alone, and may take the log of invalidations as well as an entry. So its limit must never be what
 * is reached first.
 * https://docs.aws.amazon.com/AmazonElastiCache/latest/dg/Scaling.html
 */
export const serviceEvictions = defineRule({
  id: 'cache/service-evictions',
  title: 'The service gives up keys of the second level',
  why: 'It takes what it likes: an entry that everybody reads, or the log of what was invalidated, without which every process has to forget all that it holds.',
  severity: 'warning',
  options: z.strictObject({
    /** More than so many in a day. The default is: none. */
    maxEvictions: z.number().int().min(0).default(0),
  }),
  check({ database, service, statistics }: CacheSnapshot, options): Draft[] {
    const evictions = service?.evictions ?? 0;
    if (!service || evictions <= options.maxEvictions) return [];
    const { usedBytes, maxBytes } = service;
    return [
      {
        subject: { database },
        title: `The service behind the second level gave up ${count(evictions)} keys`,
        detail: `In the last day ${service.name} (${service.engine} ${service.version}) gave up ${count(evictions)} keys for want of room${maxBytes === null ? '' : `: it may hold ${bytes(maxBytes)}`}. The store there keeps up to ${count(statistics.l2.maxEntries)} entries, of which ${count(statistics.l2.entries)} are there.`,
        evidence: {
          evictions,
          ...(usedBytes === null ? {} : { usedBytes }),
          ...(maxBytes === null ? {} : { maxBytes }),
          entries: statistics.l2.entries,
          maxEntries: statistics.l2.maxEntries,
        },
        action: {
          kind: 'config',
          caution:
            'Raise what the service may hold (`cache.maxGb` of the stage), or lower `maxEntries` of the store until all of it fits. A Redis of your own has the policy `noeviction` or `volatile-lru`, never `allkeys-…`, and holds nothing else.',
        },
      },
    ];
  },
});
