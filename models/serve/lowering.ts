import type { DenialRiskFacts, LoweringChange, LoweringStep } from '#prior-auth/learning/denial-risk.ts';

/** A request as it would be if a person changed one thing about it. */
export interface Counterfactual {
  readonly change: LoweringChange;
  readonly facts: DenialRiskFacts;
}

/** Evidence older than `old` days is worth replacing; what replaces it is at most `fresh` days old. */
const EVIDENCE_DAYS = { old: 60, fresh: 30 } as const;

/**
 * What a person can change before the request is sent: documents, the order's diagnosis, clinician and quantity. Not the patient, not what the payer decided before,
 * not how urgent it is, and not a criterion that the record contradicts.
 */
export function counterfactuals(facts: DenialRiskFacts): Counterfactual[] {
  const { criteriaMet, criteriaUnknown, evidenceCount, newestEvidenceAgeDays, quantityToLimitRatio, reasonCodeCount } = facts;
  const changed: Counterfactual[] = [];
  if (criteriaUnknown > 0) {
    changed.push({
      change: { code: 'document-criteria', count: criteriaUnknown },
      facts: { ...facts, criteriaMet: criteriaMet + criteriaUnknown, criteriaUnknown: 0, ...(evidenceCount === undefined ? {} : { evidenceCount: evidenceCount + criteriaUnknown }) },
    });
  }
  if (newestEvidenceAgeDays !== null && newestEvidenceAgeDays > EVIDENCE_DAYS.old) {
    changed.push({
      change: { code: 'newer-evidence', days: EVIDENCE_DAYS.fresh },
      facts: { ...facts, newestEvidenceAgeDays: EVIDENCE_DAYS.fresh, ...(evidenceCount === undefined ? {} : { evidenceCount: evidenceCount + 1 }) },
    });
  }
  if (!facts.hasReasonCode) changed.push({ change: { code: 'name-diagnosis' }, facts: { ...facts, hasReasonCode: true, ...(reasonCodeCount === undefined ? {} : { reasonCodeCount: 1 }) } });
  if (quantityToLimitRatio !== null && quantityToLimitRatio > 1) changed.push({ change: { code: 'within-limit' }, facts: { ...facts, quantityToLimitRatio: 1 } });
  if (!facts.requesterKnown) changed.push({ change: { code: 'name-requester' }, facts: { ...facts, requesterKnown: true } });
  return changed;
}

/** What is worth saying: a fall of at least one in a hundred, largest first. */
export function loweringSteps(now: number, changed: readonly Counterfactual[], probabilities: readonly number[]): LoweringStep[] {
  return changed
    .map(({ change }, index) => ({ change, probability: probabilities[index] as number }))
    .filter(({ probability }) => now - probability >= 0.01)
    .sort((a, b) => a.probability - b.probability);
}
