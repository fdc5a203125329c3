/** Faults of the store. docs/errors.md gives cause and cure of each. */
export const STORE_ERROR_CODES = ['STORE_LOCKED', 'STORE_FOLDER_UNUSABLE', 'STORE_UNREACHABLE', 'STORE_SILENT', 'STORE_OUTSIDE_TRANSACTION', 'STORE_SCHEMA_UNKNOWN'] as const;

export class StoreError extends Error {
  readonly code: (typeof STORE_ERROR_CODES)[number];

  constructor(code: (typeof STORE_ERROR_CODES)[number], message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'StoreError';
    this.code = code;
  }
}
