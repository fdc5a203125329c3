import { type CoverageRequirement, mayNeedAuthorization } from './requirement.ts';

interface EmissionRule {
  readonly id: string;
  readonly says: string;
  readonly broken: (requirement: CoverageRequirement) => boolean;
}

const anyConditional = ({ covered, paNeeded, docNeeded }: CoverageRequirement): boolean => [covered, paNeeded, docNeeded].includes('conditional');

/** Rules that make a coverage-information valid in every CRD version (2.0.1 q1-q5 and what later versions add). */
const EMISSION_RULES: readonly EmissionRule[] = [
  { id: 'pa-needed', says: 'covered or conditional has pa-needed, not-covered has none', broken: (r) => (r.covered === 'not-covered') !== (r.paNeeded === undefined) },
  { id: 'info-needed', says: 'info-needed if, and only if, something is conditional', broken: (r) => anyConditional(r) !== r.infoNeeded.length > 0 },
  { id: 'doc-purpose-reason', says: 'doc-purpose comes with a reason', broken: (r) => r.docPurpose.length > 0 && r.reasons.length === 0 },
  {
    id: 'withpa',
    says: 'withpa only where an authorization is or may be needed',
    broken: (r) => r.docPurpose.includes('withpa') && !mayNeedAuthorization(r.paNeeded),
  },
  { id: 'satisfied', says: 'satisfied if, and only if, satisfied-pa-id', broken: (r) => (r.paNeeded === 'satisfied') !== (r.satisfiedPaId !== undefined) },
  { id: 'questionnaire', says: 'a questionnaire comes with doc-needed', broken: (r) => r.questionnaires.length > 0 && r.docNeeded === undefined },
  { id: 'other-reason', says: 'info-needed OTH comes with a reason', broken: (r) => r.infoNeeded.includes('OTH') && r.reasons.length === 0 },
  { id: 'identity', says: 'coverage, date and coverage-assertion-id are there', broken: (r) => !r.coverage || !r.assertionId || !/^\d{4}-\d{2}-\d{2}$/.test(r.date) },
];

export interface EmissionFault {
  /** Coverage that the fault is about. */
  readonly coverage: string;
  readonly rule: string;
  readonly says: string;
}

/** Every rule that the requirements of one order break, alone or together. Every answer passes here before it leaves. */
export function emissionFaults(ofOneOrder: readonly CoverageRequirement[]): readonly EmissionFault[] {
  const alone = ofOneOrder.flatMap((requirement) => EMISSION_RULES.filter((rule) => rule.broken(requirement)).map(({ id, says }) => ({ coverage: requirement.coverage, rule: id, says })));
  const together = ofOneOrder.flatMap((a, i) =>
    ofOneOrder.slice(i + 1).some((b) => (a.coverage === b.coverage) !== (a.assertionId === b.assertionId) || (a.coverage === b.coverage && a.satisfiedPaId !== b.satisfiedPaId))
      ? [{ coverage: a.coverage, rule: 'assertion-id', says: 'one coverage has one coverage-assertion-id and satisfied-pa-id, two coverages have two' }]
      : [],
  );
  return [...alone, ...together];
}
