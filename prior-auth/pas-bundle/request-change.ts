import type { Bundle, Period } from '@medplum/fhirtypes';
import type { SubmissionKeys } from './build-submission.ts';

/** What a bundle does at the payer (PAS: the same operation takes all three). */
export type SubmissionPurpose = 'new' | 'update' | 'cancel';

export type PasVersion = '2.0.1' | '2.2.1';

/** A request as the payer has it: the last one that it took. */
export interface SentRequest {
  readonly bundle: Bundle;
  readonly keys: SubmissionKeys;
}

/** What a person changes in a request that the payer has. Sequences never change; what is added gets the next ones. */
export interface RequestChange {
  /** Item sequences. Where something else than time or quantity changes, the item is cancelled and its order added anew (PAS §update). */
  readonly cancel: readonly number[];
  readonly change: readonly { readonly sequence: number; readonly quantity?: { readonly value: number; readonly unit?: string }; readonly serviced?: { readonly date: string } | { readonly period: Period } }[];
  /** Relative references of orders, "ServiceRequest/123". */
  readonly add: readonly string[];
}

/** What to build: a new request, a change of one that was sent, or the cancellation of all of its items. */
export type BuildRequest =
  | { readonly kind: 'new' }
  | { readonly kind: 'update'; readonly previous: SentRequest; readonly change: RequestChange }
  | { readonly kind: 'cancel'; readonly previous: SentRequest };
