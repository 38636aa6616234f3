/** The port to the third level: a shared HTTP cache that can be told to forget. */
export interface Cdn {
  /** What it is, for statistics: `cloudfront`. */
  readonly name: string;
  /** The response header in which it looks for the tags of an object, in lower case. */
  readonly tagHeader: string;
  /**
   * Forgets every object that carries one of the keys or tags, which {@link cdnTag} writes in the header. Resolves
   * when the CDN has accepted the order.
   */
  purge(labels: readonly string[]): Promise<void>;
}
