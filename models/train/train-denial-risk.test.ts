import { describe, expect, it } from 'vitest';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { toFeatureRow } from '#prior-auth/learning/features.ts';
import { calibrate } from '../calibration.ts';
import { marginOf } from '../forest.ts';
import { areaUnderRoc } from '../evaluate/measures.ts';
import { simulateDecisions } from '../simulate/simulate-decisions.ts';
import { trainDenialRisk } from './train-denial-risk.ts';

const decisions = simulateDecisions(24_000, 5);
const about = { source: 'simulated payer decisions', seed: 5, simulated: true };
const trained = trainDenialRisk(decisions, about);
const score = (facts: DenialRiskFacts) => calibrate(trained.file.calibration, marginOf(trained.file.forest, toFeatureRow(facts, trained.file.history)));

describe('denial-risk training on simulated decisions', () => {
  it('gives the same bytes for the same seed', () => {
    const again = trainDenialRisk(simulateDecisions(24_000, 5), about);
    expect(again.onnx.equals(trained.onnx)).toBe(true);
    expect(again.file).toEqual(trained.file);
  });

  it('comes near the best that the simulated truth allows on later rows, and far from chance', () => {
    const later = decisions.slice(-4_800);
    const best = areaUnderRoc(Float64Array.from(later, (decision) => decision.truth), Uint8Array.from(later, (decision) => Number(decision.denied)));
    expect(trained.file.measures.areaUnderRoc.value).toBeGreaterThan(best - 0.03);
    expect(trained.file.measures.areaUnderRoc.value).toBeGreaterThan(0.7);
    expect(trained.file.measures.calibrationError.value).toBeLessThan(0.05);
  });

  const meanScore = (change: Partial<DenialRiskFacts>) => {
    const rows = decisions.slice(-500);
    return rows.reduce((sum, { facts }) => sum + score({ ...facts, ...change }), 0) / rows.length;
  };
  it.each<[string, Partial<DenialRiskFacts>, Partial<DenialRiskFacts>]>([
    ['a criterion not met', { criteriaMet: 3, criteriaNotMet: 0, criteriaUnknown: 0 }, { criteriaMet: 2, criteriaNotMet: 1, criteriaUnknown: 0 }],
    ['a criterion unknown', { criteriaMet: 3, criteriaNotMet: 0, criteriaUnknown: 0 }, { criteriaMet: 2, criteriaNotMet: 0, criteriaUnknown: 1 }],
    ['no diagnosis on the order', { hasReasonCode: true }, { hasReasonCode: false }],
    ['more than the limit', { quantityToLimitRatio: 0.9 }, { quantityToLimitRatio: 2.5 }],
    ['old evidence', { newestEvidenceAgeDays: 20 }, { newestEvidenceAgeDays: 200 }],
  ])('finds the planted effect again: over later rows, %s raises the risk', (_name, without, withIt) => {
    expect(meanScore(withIt)).toBeGreaterThan(meanScore(without) * 1.15);
  });

  it('scores a row of unknowns without failing', () => {
    const unknown = score({ ...(decisions[0] as (typeof decisions)[number]).facts, payerId: null, serviceFamily: null, criteriaMet: 0, urgent: null, patientAgeYears: null, newestEvidenceAgeDays: null, quantityToLimitRatio: null });
    expect(unknown).toBeGreaterThan(0);
    expect(unknown).toBeLessThan(1);
  });
});
