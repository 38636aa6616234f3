/** Why a cache could not do what it was asked, in a word that never changes. */
export type CacheErrorCode =
  | 'option-invalid'
  | 'key-invalid'
  | 'tag-invalid'
  | 'value-invalid'
  | 'load-timeout'
  | 'invocation-over'
  | 'level-unreachable'
  | 'level-late'
  | 'closed';

/**
 * What a cache itself has to say. What a loader throws is passed on as it is.
 *
 * @example
 * try { await products.get(id) } catch (error) { if (error instanceof CacheError && error.code === 'load-timeout') … }
 */
export class CacheError extends Error {
  override readonly name = 'CacheError';
  readonly code: CacheErrorCode;

  constructor(code: CacheErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
