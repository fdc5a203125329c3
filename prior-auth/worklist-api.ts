import type { CaseStateKind, PriorAuthCase } from './case.ts';
import type { Clock } from './payer-decision/deadlines.ts';
import type { DecisionWords } from './payer-decision/decision-words.ts';

/* What the staff's worklist asks of the server: GET /work/api/session, /work/api/cases?state=&handedOver=true&q=&sort=&after=, /work/api/cases/:id, POST /work/api/session/close */

export interface WorklistSession {
  readonly user: { readonly reference: string; readonly name: string };
}

export interface WorklistRow {
  readonly caseId: string;
  readonly patientName: string;
  readonly service: string;
  readonly serviceCode: string | null;
  readonly payerName: string;
  readonly state: CaseStateKind;
  /** Overall decision when there is one. */
  readonly decision: DecisionWords | null;
  readonly clock: Clock | null;
  readonly updatedAt: string;
  /** In a colleague's hands, or waiting to be taken over. */
  readonly handedOver?: { readonly by: string; readonly to: string; readonly at: string; readonly takenBy?: string };
}

export interface WorklistPage {
  readonly rows: readonly WorklistRow[];
  /** Pass as `after` to read on; null at the end. */
  readonly next: string | null;
  readonly counts: Readonly<Partial<Record<CaseStateKind, number>>>;
  /** Cases in a colleague's hands, of the search. */
  readonly handedOver: number;
}

export interface WorklistCase {
  readonly case: PriorAuthCase;
  readonly clock: Clock | null;
  readonly decision: DecisionWords | null;
  /** Oldest first: who did what, from the audit trail. */
  readonly timeline: readonly { readonly at: string; readonly who: string; readonly what: string }[];
}
