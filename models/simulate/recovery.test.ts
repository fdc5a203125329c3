import { beforeAll, describe, expect, it } from 'vitest';
import { DENIAL_RISK_FEATURES, type DenialRiskFeature } from '#prior-auth/learning/features.ts';
import { dataFaults } from '../data-checks.ts';
import { tableOf, type TrainingTable } from '../dataset.ts';
import { evaluate } from '../evaluate/evaluate.ts';
import { areaUnderRoc } from '../evaluate/measures.ts';
import { scoreTable } from '../evaluate/score-table.ts';
import { shapValues } from '../explain/tree-shap.ts';
import type { ModelBundle } from '../model-file.ts';
import { measureWindow } from '../monitor/measure-window.ts';
import { referenceOf } from '../monitor/reference.ts';
import { DEFAULT_LIMITS, findingsOf } from '../monitor/thresholds.ts';
import { trainModel } from '../train/train-model.ts';
import { PUBLISHED_RATES } from './published-rates.ts';
import { type SimulatedDecision, simulateDecisions, type SimulationOptions } from './simulate-decisions.ts';
import { simulatedTable } from './simulated-table.ts';
import type { SimulatedField } from './truth.ts';

const COUNT = 24_000;
const SEED = 11;
const DAY = 86_400_000;
const FROM = Date.UTC(2025, 0, 1);
const DAYS = 600;
/** Nine months of calm, in which everything is learnt; then three months in which a drift may be planted. */
const LATER = FROM + 510 * DAY;
const simulated = (options: SimulationOptions = {}) => simulateDecisions(COUNT, SEED, { from: FROM, days: DAYS, ...options });
const after = (table: TrainingTable, from: number, until = Number.POSITIVE_INFINITY) => tableOf(table, [...table.times.keys()].filter((row) => (table.times[row] as number) >= from && (table.times[row] as number) < until));

const decisions = simulated();
const table = simulatedTable(decisions);
let bundle: ModelBundle;
beforeAll(async () => {
  bundle = await trainModel(table, { kind: 'denial-risk', seed: SEED, trainedAt: '2026-11-22T00:00:00.000Z', trees: 150, depth: 3, split: { by: 'time', trainUntil: FROM + 400 * DAY, calibrateUntil: LATER, testUntil: FROM + 700 * DAY } });
}, 20_000);

/** What monitoring would say of the later three months. */
function findings(later: TrainingTable) {
  const width = later.features.length;
  const ofTable = (each: TrainingTable) => scoreTable(bundle.file, each).model;
  const calm = after(table, FROM + 400 * DAY, LATER);
  const probabilities = ofTable(later);
  const rows = Array.from(probabilities, (probability, row) => ({ row: later.rows.subarray(row * width, (row + 1) * width), probability, denied: later.labels[row] === 1, groups: {}, tookMs: 0 }));
  const area = evaluate(bundle, calm).areaUnderRoc.value;
  return findingsOf(measureWindow(rows, rows, referenceOf(calm, ofTable(calm)), bundle.file.bands.high), area, DEFAULT_LIMITS).map(({ threshold, subject }) => (subject === null ? threshold : `${threshold} ${subject}`));
}

describe('simulated decisions', () => {
  it('are the same for the same seed, in order of submission, each decided within the legal time', () => {
    expect(simulated().slice(0, 50)).toEqual(decisions.slice(0, 50));
    expect(decisions.every(({ submittedAt }, index) => index === 0 || submittedAt >= (decisions[index - 1] as SimulatedDecision).submittedAt)).toBe(true);
    expect(decisions.every(({ facts, submittedAt, decidedAt }) => decidedAt >= submittedAt && decidedAt - submittedAt <= (facts.urgent ? 3 : 7) * DAY)).toBe(true);
  });

  it.each([
    ['equipment not affirmed', PUBLISHED_RATES.equipmentNotAffirmed, (each: SimulatedDecision) => each.facts.serviceFamily?.startsWith('dme-') === true, 'denied'],
    ['other services denied', PUBLISHED_RATES.medicareAdvantageDenied, (each: SimulatedDecision) => each.facts.serviceFamily?.startsWith('dme-') === false, 'denied'],
    ['denials appealed', PUBLISHED_RATES.deniedAppealed, (each: SimulatedDecision) => each.denied, 'appealed'],
    ['appeals overturned', PUBLISHED_RATES.appealsOverturned, (each: SimulatedDecision) => each.appeal !== null, 'overturned'],
  ] as const)('agree with the published share of %s', (_what, rate, among, what) => {
    const rows = decisions.filter(among);
    const share = rows.filter((each) => ({ denied: each.denied, appealed: each.appeal !== null, overturned: each.appeal?.overturned === true })[what]).length / rows.length;
    expect(Math.abs(share - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / rows.length));
  });

  it('make a table of which no row saw a decision later than its submission', () => {
    const first = simulatedTable(decisions.slice(0, 3_000));
    const column = (name: DenialRiskFeature, of: TrainingTable) => Array.from({ length: 2_000 }, (_, row) => of.rows[row * of.features.length + DENIAL_RISK_FEATURES.indexOf(name)]);
    for (const name of ['payer_denial_rate', 'payer_procedure_decision_count', 'payer_decision_days'] as const) expect(column(name, first)).toEqual(column(name, table));
  });

  it('pass the data tests, and with a planted leak are refused by name', () => {
    expect(dataFaults(table)).toEqual([]);
    const faults = dataFaults(simulatedTable(simulated({ leakage: 'record-read-after-decision' })));
    expect(faults.map(({ check, feature }) => `${check} ${feature}`)).toContain('leakage newest_evidence_age_days');
  });
});

describe('a model trained on them', () => {
  it('comes near the best that the truth allows on later months', () => {
    const later = decisions.filter(({ decidedAt }) => decidedAt >= LATER);
    const best = areaUnderRoc(Float64Array.from(later, ({ truth }) => truth), Uint8Array.from(later, ({ denied }) => Number(denied)));
    expect(bundle.file.measures.areaUnderRoc.value).toBeGreaterThan(best - 0.02);
    expect(bundle.file.measures.areaUnderRoc.value).toBeLessThan(best + 0.01);
  });

  const FEATURES_OF: Readonly<Record<SimulatedField, (name: string) => boolean>> = {
    criteria: (name) => name.startsWith('criteria_') || name === 'evidence_count',
    'evidence-age': (name) => name === 'newest_evidence_age_days',
    'reason-code': (name) => name.includes('reason_code'),
    quantity: (name) => name === 'quantity_to_limit_ratio',
    urgency: (name) => name === 'urgent_flag',
    requester: (name) => name === 'requester_known_flag',
    'earlier-request': (name) => name === 'renewal_flag' || name === 'asked_again_flag',
    age: (name) => name === 'patient_age_band_years',
    'payer-history': (name) => /_(denial_rate|decision_count|decision_days)$/.test(name),
  };
  const FIELDS = Object.keys(FEATURES_OF) as SimulatedField[];

  it('finds the planted effects: sign and rank of the Shapley values agree with the truth', () => {
    const ordered = [...decisions].sort((a, b) => a.decidedAt - b.decidedAt);
    const places = [...ordered.keys()].filter((row) => (ordered[row] as SimulatedDecision).decidedAt >= LATER).slice(0, 1_200);
    const width = table.features.length;
    const shap = places.map((row) => shapValues(bundle.file.forest, table.rows.slice(row * width, (row + 1) * width), width));
    const compared = FIELDS.map((field) => {
      const found = shap.map((values) => DENIAL_RISK_FEATURES.reduce((sum, name, index) => (FEATURES_OF[field](name) ? sum + (values[index] as number) : sum), 0));
      // The intercepts of the two groups of services are told by the past decisions too.
      const planted = places.map((row) => {
        const { contributions, facts } = ordered[row] as SimulatedDecision;
        return contributions[field] + (field === 'payer-history' && facts.serviceFamily?.startsWith('dme-') ? 1.7 : 0);
      });
      return { field, agreement: correlation(found, planted), found: spread(found), planted: spread(planted) };
    });
    const of = (field: SimulatedField) => compared.find((each) => each.field === field) as (typeof compared)[number];
    for (const field of ['criteria', 'quantity', 'evidence-age', 'reason-code', 'payer-history'] as const) expect(of(field).agreement).toBeGreaterThan(0.8);
    for (const field of ['urgency', 'requester', 'earlier-request'] as const) expect(of(field).agreement).toBeGreaterThan(0.5);
    expect(of('age').found).toBeLessThan(0.12);
    const rank = (by: 'found' | 'planted') => [...compared].sort((a, b) => b[by] - a[by]).map(({ field }) => field);
    // The two strongest are near to each other; which leads depends on how far the trees are shrunk.
    expect(new Set(rank('found').slice(0, 2))).toEqual(new Set(rank('planted').slice(0, 2)));
    expect(rank('found').slice(2, 4)).toEqual(rank('planted').slice(2, 4));
    expect(correlation(compared.map(({ found }) => found), compared.map(({ planted }) => planted))).toBeGreaterThan(0.95);
  });

  it.each([0, 1, 2])('is calibrated in later month %i', (month) => {
    const { calibrationError, baseRate } = evaluate(bundle, after(table, LATER + month * 30 * DAY, LATER + (month + 1) * 30 * DAY));
    expect(calibrationError.value).toBeLessThan(0.035);
    expect(baseRate).toBeGreaterThan(0.1);
  });

  it('raises no alarm in calm months', () => {
    expect(findings(after(table, LATER))).toEqual([]);
  });

  it('and monitoring tells a planted drift of the record from one of the payer', () => {
    const older = simulatedTable(simulated({ drifts: [{ kind: 'older-evidence', from: LATER, factor: 4 }] }));
    expect(findings(after(older, LATER + 7 * DAY))).toContain('input-drift newest_evidence_age_days');
    const stricter = simulatedTable(simulated({ drifts: [{ kind: 'stricter-payer', from: LATER, payerId: 'evergreen-health', logOdds: 1.6 }] }));
    const found = findings(after(stricter, LATER + 7 * DAY));
    expect(found).toContain('calibration-error');
    expect(found).not.toContain('input-drift newest_evidence_age_days');
  });
});

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

/** Mean distance from the mean. */
function spread(values: readonly number[]): number {
  const middle = mean(values);
  return mean(values.map((value) => Math.abs(value - middle)));
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const [meanA, meanB] = [mean(a), mean(b)];
  const product = (x: readonly number[], y: readonly number[], mx: number, my: number) => x.reduce((sum, value, index) => sum + (value - mx) * ((y[index] as number) - my), 0);
  return product(a, b, meanA, meanB) / Math.sqrt(product(a, a, meanA, meanA) * product(b, b, meanB, meanB));
}
