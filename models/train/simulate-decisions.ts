import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { sigmoid } from '../forest.ts';

/*
 * Simulated payer decisions with a known truth. No public set of prior-authorization decisions by case exists, so the first model learns from these;
 * whatever comes of it carries the word "simulated". Base rates lean on published shares (second-hand, unverified): 7.7 % of Medicare Advantage
 * determinations denied in 2024 (KFF), 27.1 % of Original Medicare DMEPOS requests not affirmed in FY2024 (CMS).
 */

export interface SimulatedDecision {
  readonly facts: DenialRiskFacts;
  readonly denied: boolean;
  /** The probability the label was drawn with. */
  readonly truth: number;
}

const PAYERS = [
  { id: 'cascade-medicare', effect: 0 },
  { id: 'evergreen-health', effect: 0.35 },
] as const;

const FAMILIES = [
  { id: 'dme-respiratory', effect: 0.1, criteria: 3 },
  { id: 'dme-sleep', effect: 0.2, criteria: 3 },
  { id: 'dme-mobility', effect: 0.55, criteria: 4 },
  { id: 'cardiac-imaging', effect: -0.2, criteria: 3 },
  { id: 'cardiac-diagnostics', effect: -0.4, criteria: 2 },
  { id: 'outpatient-procedure', effect: 0.05, criteria: 4 },
] as const;

/** What truly drives the simulated decisions, log-odds; tests ask whether the model finds it again. */
export const SIMULATED_EFFECTS = { intercept: -3.1, notMet: 1.35, unknown: 0.75, oldEvidence: 0.7, noReasonCode: 0.6, overLimit: 0.9, urgent: -0.3, requesterUnknown: 0.4 } as const;

/** Draws decisions in time order. The same seed gives the same rows. */
export function simulateDecisions(count: number, seed: number): SimulatedDecision[] {
  const random = seededRandom(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  return Array.from({ length: count }, () => {
    const payer = pick(PAYERS);
    const family = pick(FAMILIES);
    let met = 0;
    let notMet = 0;
    let unknown = 0;
    const quality = random();
    for (let index = 0; index < family.criteria; index += 1) {
      const draw = random();
      if (draw < 0.45 + 0.5 * quality) met += 1;
      else if (draw < 0.75 + 0.22 * quality) unknown += 1;
      else notMet += 1;
    }
    const facts: DenialRiskFacts = {
      payerId: payer.id,
      policyId: null,
      serviceFamily: family.id,
      criteriaMet: met,
      criteriaNotMet: notMet,
      criteriaUnknown: unknown,
      urgent: random() < 0.12,
      patientAgeYears: random() < 0.02 ? null : Math.floor(20 + random() * 72),
      newestEvidenceAgeDays: met === 0 && random() < 0.6 ? null : Math.floor(-Math.log(1 - random()) * 60),
      hasReasonCode: random() < 0.9,
      quantityToLimitRatio: random() < 0.6 ? null : Math.round((0.3 + random() * 4) * 10) / 10,
      paNeeded: true,
      requesterKnown: random() < 0.95,
    };
    const truth = sigmoid(trueLogOdds(facts, payer.effect + family.effect));
    return { facts, truth, denied: random() < truth };
  });
}

function trueLogOdds(facts: DenialRiskFacts, levels: number): number {
  const effects = SIMULATED_EFFECTS;
  return (
    effects.intercept +
    levels +
    effects.notMet * facts.criteriaNotMet +
    effects.unknown * facts.criteriaUnknown +
    (facts.newestEvidenceAgeDays !== null && facts.newestEvidenceAgeDays > 90 ? effects.oldEvidence : 0) +
    (facts.hasReasonCode ? 0 : effects.noReasonCode) +
    (facts.quantityToLimitRatio !== null && facts.quantityToLimitRatio > 1 ? effects.overLimit : 0) +
    (facts.urgent ? effects.urgent : 0) +
    (facts.requesterKnown ? 0 : effects.requesterUnknown)
  );
}

/** mulberry32: a small generator with a 32-bit state, for reproducible draws; not for secrets. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
