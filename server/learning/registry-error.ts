/** Faults of the model registry. docs/errors.md gives cause and cure of each. */
export type RegistryErrorCode =
  | 'MODEL_NOT_FOUND'
  | 'MODEL_BUNDLE_INVALID'
  | 'MODEL_STAGE_CHANGED'
  | 'MODEL_STEP_NOT_ALLOWED'
  | 'MODEL_ROLE_NEEDED'
  | 'MODEL_OWN_APPROVAL'
  | 'MODEL_GATE_NO_DATA'
  | 'MODEL_GATE_REFUSED'
  | 'MODEL_ROLES_FILE_INVALID'
  | 'TRAINING_BUSY'
  | 'TRAINING_NOT_FOUND'
  | 'ALERT_NOT_FOUND'
  | 'ALERT_CHANGED';

export class RegistryError extends Error {
  readonly code: RegistryErrorCode;
  readonly nextStep: string | undefined;

  constructor(code: RegistryErrorCode, message: string, options: { readonly nextStep?: string; readonly cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'RegistryError';
    this.code = code;
    this.nextStep = options.nextStep;
  }
}
