/** Several items that travel together. */
export interface Batch<Item, Reply> {
  items: Item[];
  /** What sending them brings. */
  reply: Promise<Reply>;
}

/**
 * Collects what is asked for in one turn of the event loop and sends it together: 64 callers that miss at the same
 * time cost one round trip. Nothing waits longer than the turn lasts.
 */
export class Batcher<Item, Reply> {
  readonly #send: (items: Item[]) => Promise<Reply>;
  readonly #maxItems: number;
  #open: Batch<Item, Reply> | undefined;

  constructor(send: (items: Item[]) => Promise<Reply>, maxItems: number) {
    this.#send = send;
    this.#maxItems = maxItems;
  }

  /** The batch that can still be joined, if there is one. */
  get open(): Batch<Item, Reply> | undefined {
    return this.#open && this.#open.items.length < this.#maxItems ? this.#open : undefined;
  }

  /** The batch that is open, or a new one; it goes when this turn of the event loop is over. */
  join(): Batch<Item, Reply> {
    if (this.open) return this.open;
    const items: Item[] = [];
    const reply = new Promise<Reply>((resolve) => {
      process.nextTick(() => {
        if (this.#open === batch) this.#open = undefined;
        resolve(this.#send(items));
      });
    });
    const batch = { items, reply };
    this.#open = batch;
    return batch;
  }
}
