import type { PriorAuthCase } from '../case.ts';
import type { ItemDecision, PayerDecision } from '../payer-decision/decision.ts';
import type { DenialRiskFacts } from './denial-risk.ts';

/** One item of a case with the payer's own final answer: what the denial-risk model may learn from. Carries nothing that names a patient, a clinician or an order. */
export interface OutcomeRecord {
  readonly itemSequence: number;
  readonly label: OutcomeLabel;
  readonly reasonCodes: readonly string[];
  readonly payerId: string;
  readonly policyId: string | null;
  readonly policyRevision: string | null;
  readonly serviceCodes: readonly { readonly system: string; readonly code: string }[];
  readonly facts: DenialRiskFacts | null;
  /** YYYY-MM; the day would help to find the patient again. */
  readonly decidedInMonth: string;
  readonly modelVersion: string | null;
}

const OUTCOME_LABELS = ['approved', 'modified', 'denied'] as const;
export type OutcomeLabel = (typeof OUTCOME_LABELS)[number];

/**
 * What a decision teaches. Only a denial that the payer spoke is a denial: pended and unreadable items give no record, nor does a refusal for a technical reason.
 * `facts` are those that stood when the request was sent.
 */
export function toOutcomeRecords(priorAuthCase: PriorAuthCase, decision: PayerDecision, scored: { readonly facts: DenialRiskFacts; readonly modelVersion: string } | null): OutcomeRecord[] {
  const { policy } = priorAuthCase.requirement;
  return decision.items.flatMap(({ sequence, decision: item, addedByPayer }) => {
    const label = labelOf(item);
    if (!label || addedByPayer) return [];
    return [
      {
        itemSequence: sequence,
        label,
        reasonCodes: item.kind === 'denied' ? item.reasonCodes : [],
        payerId: priorAuthCase.payer.id,
        policyId: policy?.policyId ?? null,
        policyRevision: policy?.revision ?? null,
        serviceCodes: priorAuthCase.service.codings.map(({ system, code }) => ({ system, code })),
        facts: scored?.facts ?? null,
        decidedInMonth: decision.decidedAt.slice(0, 7),
        modelVersion: scored?.modelVersion ?? null,
      },
    ];
  });
}

function labelOf({ kind }: ItemDecision): OutcomeLabel | undefined {
  return OUTCOME_LABELS.find((label) => label === kind);
}
