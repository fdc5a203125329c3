import { describe, expect, it } from 'vitest';
import { variant } from '#test-fixtures/model-variants.ts';
import { smallTable, TRAINED_AT } from '#test-fixtures/trained-models.ts';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { calibrate } from '../calibration.ts';
import { marginOf } from '../forest.ts';
import { modelFile } from '../model-file.ts';
import { trainModel } from '../train/train-model.ts';
import type { BundleBytes } from './model-source.ts';
import { openServedModel } from './served-model.ts';

const facts: DenialRiskFacts = {
  payerId: 'payer-a', policyId: null, serviceFamily: 'dme-respiratory', criteriaMet: 1, criteriaNotMet: 1, criteriaUnknown: 1, urgent: false, patientAgeYears: 58, newestEvidenceAgeDays: 30, hasReasonCode: true,
  quantityToLimitRatio: null, paNeeded: true, requesterKnown: true, procedure: 'hcpcs:E0601',
};
/** What the plain walk of the trees and the calibration say. */
function walked({ json }: BundleBytes, row: Float32Array): number {
  const { calibration, forest } = modelFile.parse(JSON.parse(json));
  return calibrate(calibration, marginOf(forest, row));
}

const CALIBRATIONS: readonly (readonly [string, BundleBytes])[] = [
  ['Platt', await variant(() => ({ calibration: { method: 'platt', slope: 0.7, intercept: -0.4 } }))],
  ['isotonic', await variant(() => ({ calibration: { method: 'isotonic', margins: [-3, -1, 0, 2], probabilities: [0.02, 0.2, 0.35, 0.9] } }))],
];

describe('a served model', () => {
  it.each(CALIBRATIONS)('calibrates by %s as the plain walk does', async (_name, bytes) => {
    const model = await openServedModel(bytes);
    for (const criteriaNotMet of [0, 1, 2, 3]) {
      const row = model.rowOf({ ...facts, criteriaNotMet }, null);
      const [probability] = await model.probabilities([row]);
      expect(probability).toBeCloseTo(walked(bytes, row), 5);
    }
    await model.close();
    await expect(model.probabilities([])).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });

  it('encodes the procedure as the trainer did, and counts it among the history of the service', async () => {
    const table = smallTable();
    const procedure = Array.from(table.labels, (label, row) => (label === 1 && row % 3 !== 0 ? 'hcpcs:E0601' : 'hcpcs:E1390'));
    const { file, onnx } = await trainModel({ ...table, categories: { procedure } }, { kind: 'denial-risk', seed: 3, trainedAt: TRAINED_AT, trees: 20 });
    const bytes = { version: file.version, onnx, json: JSON.stringify(file) };
    const model = await openServedModel(bytes);
    const row = model.rowOf(facts, null);
    expect(file.features.slice(-2)).toEqual(['procedure_rate', 'procedure_count']);
    expect(row.at(-2)).toBeCloseTo(file.encoders[0]?.levels['hcpcs:E0601']?.rate ?? Number.NaN, 5);
    const risk = await model.score(row, facts, null);
    expect(risk.probability).toBeCloseTo(walked(bytes, row), 5);
    expect(risk.reasons.find(({ feature }) => feature === 'service-history')?.contribution).toBeGreaterThan(0.5);
    expect(risk.probability).toBeGreaterThan((await model.probabilities([model.rowOf({ ...facts, procedure: 'hcpcs:E1390' }, null)]))[0] as number);
    await model.close();
  });
});
