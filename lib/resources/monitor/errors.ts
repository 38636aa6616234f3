/** Why a monitor could not do what it was asked, in a word that never changes. */
export type MonitorErrorCode = 'option-invalid';

/** What a monitor itself has to say. What a handler throws is passed on as it is. */
export class MonitorError extends Error {
  override readonly name = 'MonitorError';
  readonly code: MonitorErrorCode;

  constructor(code: MonitorErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
