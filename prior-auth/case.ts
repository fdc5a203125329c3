import type { CoverageRequirement } from './coverage-requirement/requirement.ts';
import type { RequestedService } from './order/requested-service.ts';
import type { PayerDecision } from './payer-decision/decision.ts';

/**
 * One order's way to a payer's decision. The state says which step comes next; `CASE_STEPS` is the only place that says which step may follow which.
 */
export interface PriorAuthCase {
  /** UUID v7, made by us. */
  readonly id: string;
  /** Grows by one with each change; a writer names the version it read. */
  readonly version: number;
  readonly createdAt: string;
  readonly updatedAt: string;
  readonly ehrBase: string;
  readonly patient: CasePatient;
  /** Relative reference of the ordering Practitioner or PractitionerRole. */
  readonly requester?: string;
  readonly service: RequestedService;
  readonly payer: { readonly id: string; readonly name: string };
  readonly requirement: CoverageRequirement;
  readonly state: CaseState;
}

export interface CasePatient {
  /** Patient.id at the EHR. */
  readonly id: string;
  readonly name: string;
  /** YYYY-MM-DD, YYYY-MM or YYYY as the record has it. */
  readonly birthDate?: string;
  readonly gender?: string;
  readonly medicalRecordNumber?: string;
}

export type CaseState =
  /** The payer needs no authorization, or gave it with its form already; nothing will be sent. */
  | { readonly kind: 'no-authorization-needed'; /** Of an authorization that the payer's form ended with. */ readonly authorizationNumber?: string }
  /** The payer's questionnaires are being filled in. */
  | { readonly kind: 'questionnaire'; readonly missing: number }
  /** Everything the payer asks for is complete; a person may submit. */
  | { readonly kind: 'ready' }
  /** The bundle is built, validated and stored; the outbox will send it. */
  | { readonly kind: 'queued'; readonly queuedAt: string; readonly attempts: number; readonly lastError?: string }
  | { readonly kind: 'pended'; readonly submittedAt: string; readonly decision: PayerDecision }
  | { readonly kind: 'decided'; readonly submittedAt: string; readonly decision: PayerDecision }
  /** The payer refused the request for a technical reason (4XX): a person must look. */
  | { readonly kind: 'refused'; readonly refusedAt: string; readonly reason: string };

export type CaseStateKind = CaseState['kind'];

/** The only place that says which state may follow which. */
export const CASE_STEPS: { readonly [K in CaseStateKind]: readonly CaseStateKind[] } = {
  'no-authorization-needed': [],
  questionnaire: ['questionnaire', 'ready', 'no-authorization-needed'],
  ready: ['questionnaire', 'queued', 'no-authorization-needed'],
  queued: ['queued', 'pended', 'decided', 'refused'],
  pended: ['pended', 'decided'],
  decided: [],
  refused: ['questionnaire', 'ready'],
};

export function mayFollow(from: CaseStateKind, to: CaseStateKind): boolean {
  return CASE_STEPS[from].includes(to);
}
