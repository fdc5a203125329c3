/**
 * What the payer said, item by item. Only `read-decision.ts` makes these, from the review action code
 * (PAS: the outcome element never says approved or denied). An unknown or missing code is `unreadable`, never approved.
 */
export type ItemDecision =
  | { readonly kind: 'approved'; readonly authorizationNumber?: string; readonly validity?: Period; readonly authorized?: AuthorizedDetail; readonly providers?: readonly string[] }
  | { readonly kind: 'modified'; readonly authorizationNumber?: string; readonly validity?: Period; readonly authorized?: AuthorizedDetail; readonly providers?: readonly string[]; readonly explanation: readonly string[] }
  | { readonly kind: 'denied'; readonly reasonCodes: readonly string[]; readonly explanation: readonly string[] }
  | { readonly kind: 'pended'; readonly administrativeReference?: string; readonly explanation: readonly string[] }
  | { readonly kind: 'unreadable'; readonly why: 'no-review-action' | 'unknown-review-action' | 'item-missing'; readonly reviewActionCode?: string; readonly explanation: readonly string[] };

export interface Period { readonly start?: string; readonly end?: string }

/** What the payer authorized where it differs from, or restates, what was asked. */
export interface AuthorizedDetail {
  readonly quantity?: { readonly value: number; readonly unit?: string };
  readonly code?: { readonly system: string; readonly code: string };
  /** Of one unit. */
  readonly unitPrice?: { readonly value: number; readonly currency?: string };
}

/** Who at the payer decided (2.2.1); absent where the payer does not say. */
export interface DecisionReview {
  readonly byHuman: boolean;
  /** NPI. */
  readonly reviewer?: string;
  readonly specialty?: string;
}

export interface PayerDecision {
  /** ClaimResponse.created or the time we received it, ISO instant. */
  readonly decidedAt: string;
  readonly claimResponseIdentifier?: string;
  readonly preAuthRef?: string;
  readonly items: readonly { readonly sequence: number; readonly decision: ItemDecision; /** The payer added this service; nobody asked for it. */ readonly addedByPayer?: true }[];
  /** Over all items: the whole is `approved` only if every item is. */
  readonly overall: 'approved' | 'modified' | 'partly-approved' | 'denied' | 'pended' | 'error' | 'unreadable';
  readonly review?: DecisionReview;
  /** ClaimResponse.error, for the user. */
  readonly errors: readonly { readonly code: string; readonly text?: string }[];
  /** A person wrote it down; the payer's system never said it. */
  readonly entered?: Entry;
}

export interface Entry {
  readonly by: { readonly reference: string; readonly name: string };
  /** ISO instant. */
  readonly at: string;
  readonly learnedBy: 'telephone' | 'fax' | 'portal' | 'letter' | 'other';
  /** Whom one spoke to, the call's number, in the person's words. */
  readonly note?: string;
}
