/** What can stand in a list: its neighbours there, undefined at the ends and outside of one. */
export interface Linked<Item> {
  older: Item | undefined;
  newer: Item | undefined;
}

/**
 * A doubly linked list through the items themselves: nothing is allocated, and what has left holds on to nobody.
 *
 * Where items come and go all the time a Map or a Set would hold on to them: each table that V8 has outgrown points to
 * its successor, and once one of them has grown old, all that the later ones held stays until the next full collection.
 */
export class List<Item extends Linked<Item>> {
  oldest: Item | undefined;
  newest: Item | undefined;

  /** Appends an item that is in no list. */
  add(item: Item): void {
    item.older = this.newest;
    if (this.newest) this.newest.newer = item;
    else this.oldest = item;
    this.newest = item;
  }

  /** Takes out an item that is in this list. */
  remove(item: Item): void {
    if (item.older) item.older.newer = item.newer;
    else this.oldest = item.newer;
    if (item.newer) item.newer.older = item.older;
    else this.newest = item.older;
    item.older = undefined;
    item.newer = undefined;
  }
}
