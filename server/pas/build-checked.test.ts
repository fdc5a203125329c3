import type { Observation, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { NO_DIAGNOSIS_MAP } from '#prior-auth/pas-bundle/diagnosis-map.ts';
import type { PasVersion } from '#prior-auth/pas-bundle/request-change.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { buildChecked } from './build-checked.ts';
import { bundleFaults } from './bundle-faults.ts';

const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) } as const;
const parts = { faultsOf: (bundle: Parameters<typeof bundleFaults>[1], version: PasVersion) => bundleFaults(validators[version], bundle), diagnosisMap: NO_DIAGNOSIS_MAP };
const check = (input: SubmissionInput, pasVersion: PasVersion) => buildChecked(parts, { id: 'cascade-medicare', pasVersion } as Payer, input, Date.parse('2026-11-22T10:00:00Z'));

const subject = { reference: 'Patient/patient-1' };
const broken = { resourceType: 'Observation', id: 'broken', status: 'nonsense', code: { text: 'x' }, subject } as unknown as Observation;
const report: Resource = { resourceType: 'DiagnosticReport', id: 'report', status: 'final', code: { text: 'MRI' }, subject };
const encounter: Resource = { resourceType: 'ClinicalImpression', id: 'impression', status: 'completed', subject, summary: 'x' };
const document: Resource = { resourceType: 'DocumentReference', id: 'note', status: 'current', type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] }, subject, content: [{ attachment: { contentType: 'application/pdf', url: 'Binary/not-read' } }] };
const withEvidence = (...resources: Resource[]): SubmissionInput =>
  sampleInput({ evidence: [...sampleInput().evidence, ...resources.map(({ resourceType, id }) => ({ reference: `${resourceType}/${id}`, display: '' }))], supporting: [...sampleInput().supporting, ...resources] });

describe('evidence that does not fit', () => {
  it('is left out in 2.2.1 and named with the reason; the rest goes', () => {
    const submission = check(withEvidence(broken, report, encounter, document), '2.2.1');
    expect(submission).toMatchObject({ kind: 'built' });
    const summary = submission.kind === 'built' ? submission.summary : undefined;
    expect(summary?.leftOut?.map(({ reference }) => reference)).toEqual(['Observation/broken', 'DiagnosticReport/report', 'ClinicalImpression/impression', 'DocumentReference/note']);
    for (const { reason } of summary?.leftOut ?? []) expect(reason).toMatch(/\w{3,} \w+/);
    expect(summary?.resources.filter(({ optional }) => optional).map(({ reference, why }) => [reference, why])).toEqual([['Condition/copd', 'Reason of the order'], ['Observation/saturation', 'An answer was taken from it']]);
  });

  it('stops the request in 2.0.1 when it is broken, and goes when it is merely unusual', () => {
    expect(check(withEvidence(broken), '2.0.1')).toMatchObject({ kind: 'incomplete', problems: [{ code: 'PAS_BUNDLE_INVALID', message: expect.stringContaining('Observation.status') }] });
    expect(check(withEvidence(report, encounter, document), '2.0.1')).toMatchObject({ kind: 'built', summary: { leftOut: [] } });
  });

  it('is never the Claim, a party or a form', () => {
    const form = { ...sampleInput().questionnaireResponses[0], status: 'completed', authored: 'not a date' } as SubmissionInput['questionnaireResponses'][number];
    expect(check(sampleInput({ questionnaireResponses: [form] }), '2.2.1')).toMatchObject({ kind: 'incomplete', problems: [{ code: 'PAS_BUNDLE_INVALID' }] });
  });
});
