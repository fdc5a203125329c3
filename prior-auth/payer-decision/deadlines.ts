/**
 * The payer's legal clock (CMS-0057-F, 42 CFR 422.568/422.572 and alike): 72 hours expedited, 7 calendar days standard, from receipt of the request.
 */
export interface Clock {
  readonly kind: 'expedited' | 'standard';
  /** ISO instant. */
  readonly startedAt: string;
  /** ISO instant. */
  readonly dueAt: string;
  /** ISO instant of the payer's final answer; absent while the clock runs. */
  readonly stoppedAt?: string;
}
