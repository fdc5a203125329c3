/** Every fault this system raises. The codes are stable: callers switch on them and operators search for them. docs/errors.md gives cause and cure of each. */
export const PRIOR_AUTH_ERROR_CODES = [
  'CASE_NOT_FOUND',
  'CASE_CONFLICT',
  'CASE_STEP_NOT_ALLOWED',
  'ORDER_NOT_FOUND',
  'ORDER_UNREADABLE',
  'COVERAGE_NOT_FOUND',
  'PAYER_NOT_CONFIGURED',
  'FORM_NOT_FOUND',
  'FORM_CHANGED',
  'HAND_OVER_NOT_FOUND',
  'QUESTIONNAIRE_UNAVAILABLE',
  'QUESTIONNAIRE_INCOMPLETE',
  'POPULATION_FAILED',
  'PAS_BUNDLE_INCOMPLETE',
  'PAS_BUNDLE_INVALID',
  'PAYER_REFUSED',
  'PAYER_UNAVAILABLE',
  'PAYER_ANSWER_UNREADABLE',
  'EHR_UNAVAILABLE',
  'EHR_REFUSED',
  'SOURCE_NOT_FOUND',
  'SESSION_EXPIRED',
  'LAUNCH_REFUSED',
  'REQUEST_INVALID',
  'MODEL_UNAVAILABLE',
] as const;

export type PriorAuthErrorCode = (typeof PRIOR_AUTH_ERROR_CODES)[number];

export interface PriorAuthErrorOptions {
  /** What the reader should do next, one sentence. Never patient data. */
  readonly nextStep?: string;
  /** True when sending the same thing again may succeed (PAS: 5XX yes, 4XX no). Default false. */
  readonly retryable?: boolean;
  readonly cause?: unknown;
}

/** A fault. Messages carry ids and codes, never patient data. */
export class PriorAuthError extends Error {
  readonly code: PriorAuthErrorCode;
  readonly nextStep: string | undefined;
  readonly retryable: boolean;

  constructor(code: PriorAuthErrorCode, message: string, options: PriorAuthErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PriorAuthError';
    this.code = code;
    this.nextStep = options.nextStep;
    this.retryable = options.retryable ?? false;
  }
}
