import type { CodeableConcept, Identifier } from '@medplum/fhirtypes';

/** PAS logical model PASMetricData (the same in 2.0.1 and 2.2.1): one record for each prior authorization. It names no patient and no resource of one. */
export interface PasMetricData {
  readonly source: 'provider-src' | 'intermediary-src' | 'payer-src';
  readonly providerId: Identifier;
  readonly groupId: Identifier;
  readonly payerId: Identifier;
  readonly exchange: readonly MetricExchange[];
  readonly issue?: readonly { readonly code: string; readonly details?: CodeableConcept }[];
  /** Rejections of the request as a whole (ClaimResponse.error). */
  readonly aaaCodes?: readonly AaaCode[];
  readonly itemDetail?: readonly MetricItem[];
  readonly requestedDoc?: readonly {
    readonly docRequest: readonly CodeableConcept[];
    readonly timeRequested: string;
    readonly timeSubmitted?: string;
    readonly submissionMethod?: 'CDex' | 'portal' | 'fax' | 'x12' | 'other';
  }[];
  readonly exceptionSubmission?: boolean;
  readonly businessLine?: CodeableConcept;
  /** What CMS-0057-F's public figures need and the model has no place for. */
  readonly review: MetricReview;
}

export interface MetricExchange {
  readonly type: 'initial' | 'subsequent' | 'cancel' | 'update' | 'query' | 'initialDocToPayer';
  readonly with: 'provider' | 'intermediary' | 'payer';
  readonly method: 'x12' | 'restful' | 'ihe' | 'direct' | 'other';
  /** Instants. */
  readonly requestTime: string;
  readonly responseTime?: string;
  /** "0": no answer came. */
  readonly httpResponse: string;
}

/** `loopID` is "unknown" where the answer names no loop. */
export interface AaaCode {
  readonly loopID: string;
  readonly aaaCode: string;
}

export interface MetricItem {
  /** Place of the item in the request: the model's integer, not the trace number, which would name the request. */
  readonly trn: number;
  readonly item: CodeableConcept;
  /** Of CRD's coverage-information. */
  readonly assertionId?: string;
  readonly initialSubmissionTime?: string;
  readonly finalResponseTime?: string;
  /** How many answers it took. */
  readonly responsesRequired?: number;
  readonly locationType?: 'inpatient' | 'outpatient' | 'home';
  readonly result?: 'approved' | 'modified' | 'denied' | 'pended' | 'cancelled';
  readonly denialReason?: string;
}

export interface MetricReview {
  readonly priority: 'standard' | 'expedited';
  /** When the payer's time by CMS-0057-F ends, an instant; absent when the payer never had the request. */
  readonly dueTime?: string;
  /** Denied first, approved later for the same request. */
  readonly approvedAfterAppeal: boolean;
}
