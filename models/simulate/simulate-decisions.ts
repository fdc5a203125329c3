import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { sigmoid } from '../forest.ts';
import { seededRandom } from '../seeded-random.ts';
import { DECISION_CLOCK_DAYS, PUBLISHED_RATES } from './published-rates.ts';
import { contributionsOf, SIMULATED_PAYERS, SIMULATED_SERVICES, SIMULATED_SPECIALTIES, type SimulatedContributions, type SimulatedService, sumOf } from './truth.ts';

/*
 * Simulated payer decisions with a known truth. No public set of prior-authorization decisions by case exists, so the first model learns from these;
 * whatever comes of it carries the word "simulated". Mean shares are those of published-rates.ts (second-hand).
 */

export interface SimulatedDecision {
  readonly facts: DenialRiskFacts;
  /** The payer's first answer. */
  readonly denied: boolean;
  /** The probability the label was drawn with. */
  readonly truth: number;
  /** Its log-odds by field; the rest is the intercept of the service. */
  readonly contributions: SimulatedContributions;
  /** Epoch ms. */
  readonly submittedAt: number;
  readonly decidedAt: number;
  /** What became of a denial that was appealed. */
  readonly appeal: { readonly decidedAt: number; readonly overturned: boolean } | null;
  /** For the audit of subgroups: drawn without any effect, so a gap found here is noise. */
  readonly sex: 'female' | 'male';
}

/** A change of the world from a moment on (epoch ms, by submission). */
export type PlantedDrift =
  /** The payer denies more, for the same record: what the model learnt is no longer true. */
  | { readonly kind: 'stricter-payer'; readonly from: number; readonly payerId: string; readonly logOdds: number }
  /** Evidence is so many times older: the rows change, the truth about them does not. */
  | { readonly kind: 'older-evidence'; readonly from: number; readonly factor: number };

export interface SimulationOptions {
  /** Epoch ms; submissions are spread evenly from here over `days`. */
  readonly from?: number;
  readonly days?: number;
  readonly drifts?: readonly PlantedDrift[];
  /** A fault to be caught: the record is read after the decision, when a denial has brought new notes into it. */
  readonly leakage?: 'record-read-after-decision';
}

const DAY_MS = 86_400_000;
const DEFAULT_FROM = Date.UTC(2025, 0, 1);
const DEFAULT_DAYS = 660;
/** The intercepts are solved on facts of this seed and number, whatever is simulated afterwards. */
const INTERCEPT_SEED = 1;
const INTERCEPT_ROWS = 20_000;

/** Draws decisions in the order of their submission. The same arguments give the same rows. */
export function simulateDecisions(count: number, seed: number, options: SimulationOptions = {}): SimulatedDecision[] {
  const { from = DEFAULT_FROM, days = DEFAULT_DAYS, drifts = [], leakage } = options;
  const random = seededRandom(seed);
  const intercepts = solveIntercepts();
  return Array.from({ length: count }, (_, index) => {
    const submittedAt = from + Math.floor(((index + random()) / count) * days * DAY_MS);
    const active = drifts.filter((drift) => submittedAt >= drift.from);
    const { facts: drawn, service } = drawFacts(random);
    const facts = active.reduce(aged, drawn);
    const contributions = contributionsOf(facts);
    const stricter = active.reduce((sum, drift) => (drift.kind === 'stricter-payer' && drift.payerId === facts.payerId ? sum + drift.logOdds : sum), 0);
    const truth = sigmoid((intercepts.get(service.rate) as number) + sumOf(contributions) + stricter);
    const denied = random() < truth;
    const decidedAt = submittedAt + Math.floor(waitDays(facts, random) * DAY_MS);
    const appealed = denied && random() < PUBLISHED_RATES.deniedAppealed;
    const appeal = appealed ? { decidedAt: decidedAt + Math.floor((5 + random() * 40) * DAY_MS), overturned: random() < PUBLISHED_RATES.appealsOverturned } : null;
    const seen = leakage && denied && random() < 0.95 ? { ...facts, newestEvidenceAgeDays: 0, evidenceCount: (facts.evidenceCount ?? 0) + 4 } : facts;
    return { facts: seen, denied, truth, contributions, submittedAt, decidedAt, appeal, sex: random() < 0.55 ? 'female' : 'male' };
  });
}

function aged(facts: DenialRiskFacts, drift: PlantedDrift): DenialRiskFacts {
  if (drift.kind !== 'older-evidence' || facts.newestEvidenceAgeDays === null) return facts;
  return { ...facts, newestEvidenceAgeDays: Math.round(facts.newestEvidenceAgeDays * drift.factor) };
}

function waitDays(facts: DenialRiskFacts, random: () => number): number {
  const mean = SIMULATED_PAYERS.find(({ id }) => id === facts.payerId)?.decisionDays ?? 3;
  const drawn = -Math.log(1 - random()) * mean;
  return Math.min(facts.urgent ? DECISION_CLOCK_DAYS.expedited : DECISION_CLOCK_DAYS.standard, drawn / (facts.urgent ? 3 : 1));
}

function drawFacts(random: () => number): { facts: DenialRiskFacts; service: SimulatedService } {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const payer = pick(SIMULATED_PAYERS);
  const service = pick(SIMULATED_SERVICES);
  const quality = random();
  let met = 0;
  let notMet = 0;
  let unknown = 0;
  for (let index = 0; index < service.criteria; index += 1) {
    const draw = random();
    if (draw < 0.45 + 0.5 * quality) met += 1;
    else if (draw < 0.75 + 0.22 * quality) unknown += 1;
    else notMet += 1;
  }
  const hasReasonCode = random() < 0.9;
  const earlier = random();
  const facts: DenialRiskFacts = {
    payerId: payer.id,
    policyId: null,
    serviceFamily: service.family,
    criteriaMet: met,
    criteriaNotMet: notMet,
    criteriaUnknown: unknown,
    urgent: random() < 0.12,
    patientAgeYears: random() < 0.02 ? null : Math.floor(20 + random() * 72),
    newestEvidenceAgeDays: met === 0 && random() < 0.6 ? null : Math.floor(-Math.log(1 - random()) * 60),
    hasReasonCode,
    quantityToLimitRatio: random() < 0.6 ? null : Math.round((0.3 + random() * 4) * 10) / 10,
    paNeeded: true,
    requesterKnown: random() < 0.95,
    procedure: pick<string>(service.procedures),
    requesterSpecialty: random() < 0.1 ? null : pick(SIMULATED_SPECIALTIES).code,
    evidenceCount: met === 0 ? 0 : met + Math.floor(random() * 3),
    reasonCodeCount: hasReasonCode ? 1 + Math.floor(random() * 3) : 0,
    renewal: earlier < 0.15,
    askedAgain: earlier >= 0.15 && earlier < 0.2,
  };
  return { facts, service };
}

/** The log-odds that give each rate group its published mean share, by halving. */
function solveIntercepts(): ReadonlyMap<number, number> {
  const random = seededRandom(INTERCEPT_SEED);
  const sums = new Map<number, number[]>();
  for (let row = 0; row < INTERCEPT_ROWS; row += 1) {
    const { facts, service } = drawFacts(random);
    const group = sums.get(service.rate);
    const sum = sumOf(contributionsOf(facts));
    if (group) group.push(sum);
    else sums.set(service.rate, [sum]);
  }
  return new Map([...sums].map(([rate, group]) => {
    let low = -12;
    let high = 6;
    for (let round = 0; round < 40; round += 1) {
      const middle = (low + high) / 2;
      if (group.reduce((total, sum) => total + sigmoid(middle + sum), 0) / group.length < rate) low = middle;
      else high = middle;
    }
    return [rate, (low + high) / 2];
  }));
}
