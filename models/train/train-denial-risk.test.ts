import { describe, expect, it } from 'vitest';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { toFeatureRow } from '#prior-auth/learning/features.ts';
import { calibrate } from '../calibration.ts';
import { marginOf } from '../forest.ts';
import { areaUnderRoc } from './measures.ts';
import { simulateDecisions } from './simulate-decisions.ts';
import { trainDenialRisk } from './train-denial-risk.ts';

const decisions = simulateDecisions(12_000, 5);
const about = { source: 'simulated payer decisions', seed: 5, simulated: true };
const trained = trainDenialRisk(decisions, about);
const score = (facts: DenialRiskFacts) => calibrate(trained.file.calibration, marginOf(trained.file.forest, toFeatureRow(facts, trained.file.history)));

describe('denial-risk training on simulated decisions', () => {
  it('gives the same bytes for the same seed', () => {
    const again = trainDenialRisk(simulateDecisions(12_000, 5), about);
    expect(again.onnx.equals(trained.onnx)).toBe(true);
    expect(again.file).toEqual(trained.file);
  });

  it('comes near the best that the simulated truth allows on later rows, and far from chance', () => {
    const later = decisions.slice(-2_400);
    const best = areaUnderRoc(later.map((decision) => decision.truth), later.map((decision) => Number(decision.denied)));
    expect(trained.file.measures.areaUnderRoc).toBeGreaterThan(best - 0.03);
    expect(trained.file.measures.areaUnderRoc).toBeGreaterThan(0.7);
    expect(trained.file.measures.calibrationError).toBeLessThan(0.05);
  });

  const typical: DenialRiskFacts = {
    payerId: 'cascade-medicare', policyId: null, serviceFamily: 'dme-respiratory', criteriaMet: 3, criteriaNotMet: 0, criteriaUnknown: 0, urgent: false, patientAgeYears: 66,
    newestEvidenceAgeDays: 20, hasReasonCode: true, quantityToLimitRatio: 0.9, paNeeded: true, requesterKnown: true,
  };
  it.each([
    ['a criterion not met', { criteriaMet: 2, criteriaNotMet: 1 }],
    ['a criterion unknown', { criteriaMet: 2, criteriaUnknown: 1 }],
    ['no diagnosis on the order', { hasReasonCode: false }],
    ['twice the limit', { quantityToLimitRatio: 2.5 }],
    ['old evidence', { newestEvidenceAgeDays: 200 }],
  ])('finds the planted effect again: %s raises the risk', (_name, change) => {
    expect(score({ ...typical, ...change })).toBeGreaterThan(score(typical) * 1.15);
  });

  it('scores a row of unknowns without failing', () => {
    const unknown = score({ ...typical, payerId: null, serviceFamily: null, criteriaMet: 0, urgent: null, patientAgeYears: null, newestEvidenceAgeDays: null, quantityToLimitRatio: null });
    expect(unknown).toBeGreaterThan(0);
    expect(unknown).toBeLessThan(1);
  });
});
