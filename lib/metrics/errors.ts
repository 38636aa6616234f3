/** Why metrics could not be written or read, in a word that never changes. */
export type MetricsErrorCode = 'option-invalid' | 'measurement-invalid' | 'query-invalid' | 'store-failed';

/** What a store of metrics has to say. */
export class MetricsError extends Error {
  override readonly name = 'MetricsError';
  readonly code: MetricsErrorCode;

  constructor(code: MetricsErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
