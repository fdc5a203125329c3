import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { DenialRiskFacts } from '#prior-auth/learning/denial-risk.ts';
import { openDenialRiskModel } from './denial-risk-model.ts';

const shipped = join(import.meta.dirname, '..');
const folders: string[] = [];
function copyOfModel(): string {
  const folder = mkdtempSync(join(tmpdir(), 'opa-model-'));
  folders.push(folder);
  for (const name of ['denial-risk.onnx', 'denial-risk.json']) cpSync(join(shipped, name), join(folder, name));
  return folder;
}
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true })));

const facts: DenialRiskFacts = {
  payerId: 'evergreen-health', policyId: 'cardiac-mri', serviceFamily: 'cardiac-imaging', criteriaMet: 1, criteriaNotMet: 1, criteriaUnknown: 1, urgent: false, patientAgeYears: 58,
  newestEvidenceAgeDays: 30, hasReasonCode: true, quantityToLimitRatio: null, paNeeded: true, requesterKnown: true,
};

describe('the shipped denial-risk model', () => {
  it('scores with reasons in words, strongest first, and says it is simulated', async () => {
    const model = await openDenialRiskModel();
    const risk = await model.score(facts);
    expect(risk.probability).toBeGreaterThan(0);
    expect(risk.probability).toBeLessThan(1);
    expect(risk.simulated).toBe(true);
    expect(risk.reasons.length).toBeGreaterThan(1);
    expect(risk.reasons[0]?.text).toBe('1 of 3 payer criteria not met by the record');
    const sizes = risk.reasons.map((reason) => Math.abs(reason.contribution));
    expect(sizes).toEqual([...sizes].sort((a, b) => b - a));
  });

  it('is higher when a criterion is not met than when all are', async () => {
    const model = await openDenialRiskModel();
    const better = await model.score({ ...facts, criteriaMet: 3, criteriaNotMet: 0, criteriaUnknown: 0 });
    expect((await model.score(facts)).probability).toBeGreaterThan(better.probability * 2);
  });

  it.each([
    ['a missing file', (folder: string) => rmSync(join(folder, 'denial-risk.onnx'))],
    ['an ONNX file that the JSON does not describe', (folder: string) => writeFileSync(join(folder, 'denial-risk.onnx'), 'not onnx')],
    ['another feature list', (folder: string) => change(folder, (file) => (file['features'] as string[]).reverse())],
    ['a forest that differs from the ONNX file', (folder: string) => change(folder, (file) => ((file['forest'] as { base: number }).base += 0.5))],
    ['broken JSON', (folder: string) => writeFileSync(join(folder, 'denial-risk.json'), '{')],
  ])('refuses %s', async (_name, damage) => {
    const folder = copyOfModel();
    damage(folder);
    await expect(openDenialRiskModel(folder)).rejects.toMatchObject({ code: 'MODEL_UNAVAILABLE' });
  });
});

function change(folder: string, edit: (file: Record<string, unknown>) => void): void {
  const path = join(folder, 'denial-risk.json');
  const file = JSON.parse(readFileSync(path, 'utf8'));
  edit(file);
  writeFileSync(path, JSON.stringify(file));
}
