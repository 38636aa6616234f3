import type { Flight } from './engine.ts';
import type { Entry } from './entry.ts';
import type { Linked } from './list.ts';

/** The places of one definition, by the key within it. */
export type Places = Map<string, Place>;

/**
 * Where a key has its value in memory, and who is on the way to it. It is among the others as long as there is either.
 *
 * What leaves is let go of: the tables of a Map that V8 has outgrown hold on to places (see list.ts), and must not hold
 * on to values with them.
 */
export class Place implements Linked<Place> {
  readonly home: Places;
  /** The key within the definition. */
  readonly id: string;
  entry: Entry | undefined;
  flight: Flight | undefined;
  /** The estimated size of the entry, in bytes; 0 where no limit needs to know. */
  bytes = 0;
  older: Place | undefined;
  newer: Place | undefined;
  /** The mark of the policy `sieve`. */
  visited = false;

  constructor(home: Places, id: string) {
    this.home = home;
    this.id = id;
  }

  /** Goes when there is nothing in it. */
  tidy(): void {
    if (!this.entry && !this.flight) this.home.delete(this.id);
  }
}

/** The place of a key, where it will be found from now on. */
export function placeIn(home: Places, id: string): Place {
  const known = home.get(id);
  if (known) return known;
  const place = new Place(home, id);
  home.set(id, place);
  return place;
}
