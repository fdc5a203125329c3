import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import type { AnyDatabase } from '#store/database.ts';
import type { Transaction } from 'kysely';

/** What became of a submission. Instants are ISO. */
export type CaseAnswer =
  | { readonly kind: 'pended'; readonly submittedAt: string; readonly decision: PayerDecision; readonly asks?: readonly InformationRequest[] }
  | { readonly kind: 'decided'; readonly submittedAt: string; readonly decision: PayerDecision }
  /** The payer took the cancellation of the whole request. */
  | { readonly kind: 'cancelled'; readonly cancelledAt: string; readonly submittedAt: string; readonly decision: PayerDecision }
  /** `reason` is in words for staff: HTTP status and the payer's codes, never patient data. */
  | { readonly kind: 'refused'; readonly refusedAt: string; readonly reason: string };

/**
 * What the sender needs of the case store. Every call happens inside the sender's transaction, which also writes the submission row:
 * a case and its submission never disagree. All calls are idempotent: the sender may repeat one after a crash.
 */
export interface CasePort {
  read(trx: Transaction<AnyDatabase>, caseId: string): Promise<PriorAuthCase | undefined>;
  /** A queued case was tried and the payer could not be reached: attempts + 1, lastError. A case that is no longer queued is left alone. */
  recordAttempt(trx: Transaction<AnyDatabase>, caseId: string, error: string): Promise<void>;
  /**
   * Moves a case by what the payer said of it. `of` is the submission it speaks of: the one on its way, or the one that stood before it, whose
   * answer then waits behind. A refused update or cancellation brings back what stood. A step CASE_STEPS forbids throws CASE_STEP_NOT_ALLOWED.
   */
  recordAnswer(trx: Transaction<AnyDatabase>, caseId: string, answer: CaseAnswer, of: 'latest' | 'before'): Promise<void>;
  /** Our answer to what the payer asked for was taken, or refused. A case or an ask that has moved on is left alone. */
  recordAskAnswer(trx: Transaction<AnyDatabase>, caseId: string, askId: string, outcome: { readonly kind: 'answered'; readonly at: string } | { readonly kind: 'refused'; readonly at: string; readonly reason: string }): Promise<void>;
}
