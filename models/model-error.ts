export type ModelErrorCode = 'TRAINING_REFUSED' | 'TRAINING_FAILED' | 'MODEL_IMPORT_REFUSED';

/** A fault of training or of bringing in a model. Messages name columns and counts, never a row. */
export class ModelError extends Error {
  readonly code: ModelErrorCode;

  constructor(code: ModelErrorCode, message: string, options?: { readonly cause: unknown }) {
    super(message, options);
    this.name = 'ModelError';
    this.code = code;
  }
}
