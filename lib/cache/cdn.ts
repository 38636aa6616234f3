/** The port to the third level: a shared HTTP cache that can be told to forget. */
export interface Cdn {
  /** What it is, for statistics: `cloudfront`. */
  readonly name: string;
  /** The response header in which it looks for the tags of an object, in lower case. */
  readonly tagHeader: string;
  /**
   * Forgets every object that carries one of the tags, as they are written in the header (see http.ts).
   * Resolves when the CDN has accepted the order.
   */
  purge(tags: readonly string[]): Promise<void>;
}
