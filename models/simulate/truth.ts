import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { PUBLISHED_RATES } from './published-rates.ts';

/*
 * What truly drives the simulated decisions, in log-odds: what a model trained on them must find again.
 */

/** Fields a planted effect belongs to; `age` has none: a model must not find one. */
export type SimulatedField = 'criteria' | 'evidence-age' | 'reason-code' | 'quantity' | 'urgency' | 'requester' | 'earlier-request' | 'age' | 'payer-history';

export const SIMULATED_EFFECTS = { notMet: 1.35, unknown: 0.75, oldEvidence: 0.7, noReasonCode: 0.6, overLimit: 0.9, urgent: -0.3, requesterUnknown: 0.4, renewal: -0.5, askedAgain: 0.35 } as const;

/** Evidence older than this counts as old. */
export const OLD_EVIDENCE_DAYS = 90;

/** Decision days: the mean wait of a standard request. */
export const SIMULATED_PAYERS = [
  { id: 'cascade-medicare', effect: 0, decisionDays: 2.5 },
  { id: 'evergreen-health', effect: 0.45, decisionDays: 4 },
] as const;

export const SIMULATED_SPECIALTIES = [
  { code: '207Q00000X', effect: 0.2 },
  { code: '207RC0000X', effect: -0.2 },
  { code: '207RP1001X', effect: 0 },
  { code: '2084N0400X', effect: 0 },
] as const;

/** Log-odds within its rate group; each group's intercept is solved so that its mean share is the published one. */
export const SIMULATED_SERVICES = [
  { family: 'dme-respiratory', procedures: ['hcpcs:E1390', 'hcpcs:E0431'], criteria: 3, rate: PUBLISHED_RATES.equipmentNotAffirmed, effect: -0.2 },
  { family: 'dme-sleep', procedures: ['hcpcs:E0601'], criteria: 3, rate: PUBLISHED_RATES.equipmentNotAffirmed, effect: -0.1 },
  { family: 'dme-mobility', procedures: ['hcpcs:K0823', 'hcpcs:K0800'], criteria: 4, rate: PUBLISHED_RATES.equipmentNotAffirmed, effect: 0.4 },
  { family: 'cardiac-imaging', procedures: ['cpt:75561', 'cpt:78452'], criteria: 3, rate: PUBLISHED_RATES.medicareAdvantageDenied, effect: -0.1 },
  { family: 'advanced-imaging', procedures: ['cpt:70551', 'cpt:72148'], criteria: 3, rate: PUBLISHED_RATES.medicareAdvantageDenied, effect: 0.2 },
  { family: 'outpatient-procedure', procedures: ['cpt:64615', 'cpt:29877'], criteria: 4, rate: PUBLISHED_RATES.medicareAdvantageDenied, effect: 0.1 },
] as const;

export type SimulatedService = (typeof SIMULATED_SERVICES)[number];
export type SimulatedContributions = Readonly<Record<SimulatedField, number>>;

/** What each field adds to the log-odds of one order, but for its service's intercept. */
export function contributionsOf(facts: DenialRiskFacts): SimulatedContributions {
  const effects = SIMULATED_EFFECTS;
  const effectOf = <T extends { readonly effect: number }>(of: T | undefined): number => of?.effect ?? 0;
  return {
    criteria: effects.notMet * facts.criteriaNotMet + effects.unknown * facts.criteriaUnknown,
    'evidence-age': facts.newestEvidenceAgeDays !== null && facts.newestEvidenceAgeDays > OLD_EVIDENCE_DAYS ? effects.oldEvidence : 0,
    'reason-code': facts.hasReasonCode ? 0 : effects.noReasonCode,
    quantity: facts.quantityToLimitRatio !== null && facts.quantityToLimitRatio > 1 ? effects.overLimit : 0,
    urgency: facts.urgent ? effects.urgent : 0,
    requester: facts.requesterKnown ? 0 : effects.requesterUnknown,
    'earlier-request': (facts.renewal ? effects.renewal : 0) + (facts.askedAgain ? effects.askedAgain : 0),
    age: 0,
    'payer-history':
      effectOf(SIMULATED_PAYERS.find(({ id }) => id === facts.payerId)) +
      effectOf(SIMULATED_SERVICES.find(({ family }) => family === facts.serviceFamily)) +
      effectOf(SIMULATED_SPECIALTIES.find(({ code }) => code === facts.requesterSpecialty)),
  };
}

export function sumOf(contributions: SimulatedContributions): number {
  return Object.values(contributions).reduce((sum, part) => sum + part, 0);
}
