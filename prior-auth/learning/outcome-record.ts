import type { PriorAuthCase } from '../case.ts';
import type { ItemDecision, PayerDecision } from '../payer-decision/decision.ts';
import type { DenialRisk, DenialRiskFacts } from './denial-risk.ts';
import { procedureOf } from './procedure.ts';

/** One item of a case with the payer's own final answer: what the denial-risk model may learn from. Carries nothing that names a patient, a clinician or an order. */
export interface OutcomeRecord {
  readonly itemSequence: number;
  readonly label: OutcomeLabel;
  readonly reasonCodes: readonly string[];
  readonly payerId: string;
  readonly policyId: string | null;
  readonly policyRevision: string | null;
  readonly serviceCodes: readonly { readonly system: string; readonly code: string }[];
  /** "hcpcs:E0601"; what past decisions are counted under. */
  readonly procedure: string | null;
  /** Null for what was not scored: it counts as a past decision and is no row to learn from. */
  readonly facts: DenialRiskFacts | null;
  /** Up to when the score had seen past decisions; null where it had none. */
  readonly historyAsOf: string | null;
  /** For the audit of subgroups, never a feature. */
  readonly patientSex: 'female' | 'male' | 'other' | null;
  /** YYYY-MM; the day would help to find the patient again. */
  readonly decidedInMonth: string;
  /** From submission to the payer's decision; null where the clocks disagree. */
  readonly decisionDays: number | null;
  readonly modelVersion: string | null;
  /** The payer is a sandbox: its decisions are simulated, and so is all that is learned from them. */
  readonly simulated: boolean;
}

const OUTCOME_LABELS = ['approved', 'modified', 'denied'] as const;
export type OutcomeLabel = (typeof OUTCOME_LABELS)[number];

/** What was scored before the request was sent. */
export interface ScoredFacts {
  readonly facts: DenialRiskFacts;
  readonly risk: Pick<DenialRisk, 'modelVersion' | 'history'>;
}

/** `submittedAt`: ISO instant at which the payer had the request. */
export interface OutcomeContext {
  readonly scored: ScoredFacts | null;
  readonly submittedAt: string;
  readonly simulated: boolean;
}

/**
 * What a decision teaches. Only a denial that the payer spoke is a denial: pended and unreadable items give no record, nor does a refusal for a technical reason.
 * The facts are those that stood when the request was sent; they are of the order that opened the case, which is item 1.
 */
export function toOutcomeRecords(priorAuthCase: PriorAuthCase, decision: PayerDecision, { scored, submittedAt, simulated }: OutcomeContext): OutcomeRecord[] {
  const { policy } = priorAuthCase.requirement;
  const services = [priorAuthCase.service, ...(priorAuthCase.further ?? [])];
  return decision.items.flatMap(({ sequence, decision: item, addedByPayer }) => {
    const label = labelOf(item);
    const service = services[sequence - 1];
    if (!label || addedByPayer || !service) return [];
    const first = sequence === 1;
    return [
      {
        itemSequence: sequence,
        label,
        reasonCodes: item.kind === 'denied' ? item.reasonCodes : [],
        payerId: priorAuthCase.payer.id,
        policyId: first ? (policy?.policyId ?? null) : null,
        policyRevision: first ? (policy?.revision ?? null) : null,
        serviceCodes: service.codings.map(({ system, code }) => ({ system, code })),
        procedure: procedureOf(service),
        facts: first ? (scored?.facts ?? null) : null,
        historyAsOf: first ? (scored?.risk.history?.asOf ?? null) : null,
        patientSex: sexOf(priorAuthCase.patient.gender),
        decidedInMonth: decision.decidedAt.slice(0, 7),
        decisionDays: daysBetween(submittedAt, decision.decidedAt),
        modelVersion: first ? (scored?.risk.modelVersion ?? null) : null,
        simulated,
      },
    ];
  });
}

function labelOf({ kind }: ItemDecision): OutcomeLabel | undefined {
  return OUTCOME_LABELS.find((label) => label === kind);
}

function sexOf(gender: string | undefined): OutcomeRecord['patientSex'] {
  return gender === 'female' || gender === 'male' || gender === 'other' ? gender : null;
}

function daysBetween(from: string, to: string): number | null {
  const days = (Date.parse(to) - Date.parse(from)) / 86_400_000;
  return days >= 0 && days <= 3660 ? days : null;
}
