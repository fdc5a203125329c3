import { describe, expect, it } from 'vitest';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { seededRandom } from '../seeded-random.ts';
import { createLiveModel } from './live-model.ts';
import { counterfactuals } from './lowering.ts';
import { shippedModel } from './shipped-model.ts';

const random = seededRandom(11);
const upTo = (most: number) => Math.floor(random() * (most + 1));
const orders = Array.from({ length: 300 }, (): DenialRiskFacts => ({
  payerId: random() < 0.5 ? 'cascade-medicare' : 'evergreen-health', policyId: null, serviceFamily: 'dme-respiratory', criteriaMet: upTo(3), criteriaNotMet: upTo(1), criteriaUnknown: upTo(2), evidenceCount: upTo(6),
  urgent: random() < 0.1, patientAgeYears: upTo(90), newestEvidenceAgeDays: random() < 0.2 ? null : upTo(200), hasReasonCode: random() < 0.8, reasonCodeCount: upTo(2),
  quantityToLimitRatio: random() < 0.5 ? null : upTo(40) / 10, paNeeded: true, requesterKnown: random() < 0.9,
}));

describe('what would lower the risk', () => {
  it('really lowers it: scored again, each step gives what was said, the most helpful first', async () => {
    const model = await createLiveModel({ shipped: shippedModel, now: Date.now, onFault: (error) => { throw error; } });
    let steps = 0;
    for (const facts of orders) {
      const risk = await model.score(facts);
      const said = (risk.lowering ?? []).map(({ probability }) => probability);
      expect(said).toEqual([...said].sort((a, b) => a - b));
      for (const { change, probability } of risk.lowering ?? []) {
        steps += 1;
        const changed = counterfactuals(facts).find((each) => each.change.code === change.code);
        if (!changed) throw new Error(change.code);
        expect(await model.probability(changed.facts)).toBeCloseTo(probability, 6);
        expect(probability).toBeLessThanOrEqual(risk.probability - 0.01);
      }
    }
    expect(steps).toBeGreaterThan(100);
    await model.close();
  });

  it('is never the patient, the payer, the urgency, the past, or a criterion that the record contradicts', () => {
    for (const facts of orders) {
      for (const { facts: changed } of counterfactuals(facts)) {
        for (const kept of ['payerId', 'serviceFamily', 'patientAgeYears', 'urgent', 'criteriaNotMet', 'renewal', 'askedAgain', 'procedure', 'requesterSpecialty'] as const) expect(changed[kept]).toBe(facts[kept]);
        expect(changed.criteriaMet + changed.criteriaUnknown).toBe(facts.criteriaMet + facts.criteriaUnknown);
      }
    }
  });

  it('is nothing where nothing can be changed', () => {
    expect(counterfactuals({ ...(orders[0] as DenialRiskFacts), criteriaUnknown: 0, newestEvidenceAgeDays: 60, hasReasonCode: true, quantityToLimitRatio: 1, requesterKnown: true })).toEqual([]);
  });
});
