import type { CoverageRequirement } from './coverage-requirement/requirement.ts';
import type { RequestedService } from './order/requested-service.ts';
import type { SubmissionPurpose } from './pas-bundle/request-change.ts';
import type { PayerDecision } from './payer-decision/decision.ts';
import type { InformationRequest } from './payer-decision/information-request.ts';

/**
 * One request's way to a payer's decision. The state says which step comes next; `CASE_STEPS` is the only place that says which step may follow which.
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
  /** The order that opened the case: the request's first item. */
  readonly service: RequestedService;
  /** Further orders in the same request, in the order in which they were added; a person puts them in. */
  readonly further?: readonly RequestedService[];
  readonly payer: { readonly id: string; readonly name: string };
  readonly requirement: CoverageRequirement;
  /** The earlier case of the same order that this one takes up again: after a denial no update is allowed (PAS §update), and an authorization that runs out is renewed. */
  readonly follows?: { readonly caseId: string; readonly why: 'denied' | 'cancelled' | 'renewal'; readonly authorizationNumber?: string };
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

/** The payer has the request; what it last said. */
export type AnsweredState =
  | {
      readonly kind: 'pended';
      readonly submittedAt: string;
      readonly decision: PayerDecision;
      /** What the payer wants before it decides; open ones first. */
      readonly asks?: readonly InformationRequest[];
      readonly lastChange?: RefusedChange;
    }
  | { readonly kind: 'decided'; readonly submittedAt: string; readonly decision: PayerDecision; readonly lastChange?: RefusedChange };

/** An update or a cancellation that the payer did not take: what stood before it stands. */
export interface RefusedChange {
  readonly purpose: Exclude<SubmissionPurpose, 'new'>;
  readonly refusedAt: string;
  /** In words for staff, never patient data. */
  readonly reason: string;
}

export type CaseState =
  /** The payer needs no authorization, or gave it with its form already; nothing will be sent. */
  | { readonly kind: 'no-authorization-needed'; /** Of an authorization that the payer's form ended with. */ readonly authorizationNumber?: string }
  /** The payer's questionnaires are being filled in. */
  | { readonly kind: 'questionnaire'; readonly missing: number }
  /** Everything the payer asks for is complete; a person may submit. */
  | { readonly kind: 'ready' }
  /** The bundle is built, validated and stored; the outbox will send it. `before`: the answered state that an update or a cancellation is about. */
  | { readonly kind: 'queued'; readonly queuedAt: string; readonly attempts: number; readonly lastError?: string; readonly purpose?: SubmissionPurpose; readonly before?: AnsweredState; /** Orders that the update on its way adds. */ readonly added?: readonly string[] }
  /** In the outbox, and kept there until a person lets it go. */
  | { readonly kind: 'held'; readonly heldAt: string; readonly heldBy: string; readonly queuedAt: string; /** Sendings before it was held. */ readonly attempts?: number; readonly purpose?: SubmissionPurpose; readonly before?: AnsweredState; /** Orders that the update on its way adds. */ readonly added?: readonly string[] }
  | AnsweredState
  /** The payer took the cancellation of every item. */
  | { readonly kind: 'cancelled'; readonly cancelledAt: string; readonly submittedAt: string; readonly decision: PayerDecision }
  /** The payer refused the request for a technical reason (4XX): a person must look. */
  | { readonly kind: 'refused'; readonly refusedAt: string; readonly reason: string }
  | ManualState;

/** Handled by telephone, fax or the payer's own web site: the packet is printed, a person follows it. */
export interface ManualState {
  readonly kind: 'manual';
  readonly since: string;
  readonly by: string;
  /** The payer's number for it. */
  readonly reference?: string;
  /** ISO instant at which the payer had the request, as the person says: its clock runs from there. */
  readonly submittedAt?: string;
  /** What the case goes back to when it is switched back; an electronic answer that still comes is kept here. */
  readonly was?: Exclude<CaseState, ManualState>;
}

export type CaseStateKind = CaseState['kind'];

/** The only place that says which state may follow which. */
export const CASE_STEPS: { readonly [K in CaseStateKind]: readonly CaseStateKind[] } = {
  'no-authorization-needed': [],
  questionnaire: ['questionnaire', 'ready', 'no-authorization-needed', 'manual'],
  ready: ['questionnaire', 'queued', 'no-authorization-needed', 'manual'],
  queued: ['queued', 'held', 'ready', 'pended', 'decided', 'cancelled', 'refused', 'manual'],
  held: ['queued', 'ready', 'pended', 'decided', 'manual'],
  pended: ['pended', 'decided', 'queued', 'cancelled', 'manual'],
  decided: ['decided', 'queued', 'cancelled'],
  cancelled: [],
  refused: ['questionnaire', 'ready', 'manual'],
  manual: ['manual', 'decided', 'questionnaire', 'ready', 'queued', 'held', 'pended', 'refused'],
};

export function mayFollow(from: CaseStateKind, to: CaseStateKind): boolean {
  return CASE_STEPS[from].includes(to);
}

/** What the payer last said of the request that it has, whatever is on its way or done by hand meanwhile. */
export function standingAnswer(state: CaseState): AnsweredState | undefined {
  switch (state.kind) {
    case 'pended':
    case 'decided':
      return state;
    case 'queued':
    case 'held':
      return state.before;
    case 'manual':
      return state.was && standingAnswer(state.was);
    default:
      return undefined;
  }
}
