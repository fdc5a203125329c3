import { randomUUID } from 'node:crypto';
import type { Bundle, Claim, DocumentReference, MedicationRequest, Observation, QuestionnaireResponse, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { sampleForm, sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { buildSubmission, type Submission } from './build-submission.ts';
import type { PasVersion } from './request-change.ts';
import type { SubmissionInput } from './submission-input.ts';

const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) } as const;
const subject = { reference: 'Patient/patient-1' };
const observation = (id: string, changes: Partial<Observation> = {}): Observation => ({ resourceType: 'Observation', id, status: 'final', category: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/observation-category', code: 'laboratory' }] }], code: { coding: [{ system: 'http://loinc.org', code: '2019-8' }], text: `Observation ${id}` }, subject, effectiveDateTime: '2026-11-12', ...changes });
const note: DocumentReference = { resourceType: 'DocumentReference', id: 'note', status: 'current', description: 'Visit note', type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] }, category: [{ coding: [{ system: 'http://hl7.org/fhir/us/core/CodeSystem/us-core-documentreference-category', code: 'clinical-note' }] }], subject, content: [{ attachment: { contentType: 'application/pdf', url: 'Binary/b1' } }] };
const content: Resource = { resourceType: 'Binary', id: 'b1', contentType: 'application/pdf', data: 'SGVsbG8=' };
const tried: MedicationRequest = { resourceType: 'MedicationRequest', id: 'tried', status: 'stopped', intent: 'order', subject, authoredOn: '2026-05-01', requester: { reference: 'Practitioner/another' }, medicationReference: { reference: 'Medication/m1' } };
const record: readonly Resource[] = [observation('criterion'), observation('chosen'), observation('panel', { hasMember: [{ reference: 'Observation/member' }] }), observation('member'), observation('unasked'), note, content, tried, { resourceType: 'Medication', id: 'm1', code: { text: 'Methotrexate' } }];

function built(version: PasVersion, changes: Partial<SubmissionInput> = {}): Extract<Submission, { kind: 'built' }> {
  const submission = buildSubmission(sampleInput({ ...changes, supporting: [...sampleInput().supporting, ...record] }), { ids: randomUUID, now: Date.parse('2026-11-22T10:00:00Z'), version });
  if (submission.kind !== 'built') throw new Error(JSON.stringify(submission.problems));
  return submission;
}
const optionalOf = ({ summary }: ReturnType<typeof built>) => summary.resources.filter(({ optional }) => optional).map(({ reference, why }) => [reference, why]);
const named = (...references: string[]) => references.map((reference) => ({ reference, display: '' }));
const claimOf = (bundle: Bundle): Claim => bundle.entry?.[0]?.resource as Claim;

describe.each(['2.0.1', '2.2.1'] as const)('supporting information, PAS %s', (version) => {
  const errors = (bundle: Bundle): string[] => validators[version].validate(bundle).issues.filter(({ severity }) => severity === 'error').map(({ path, message }) => `${path} ${message}`);

  it('is named with its origin, and may be left out; parties and forms may not', () => {
    const submission = built(version, { criteria: named('Observation/criterion', 'Observation/panel'), chosen: { include: ['Observation/chosen', 'DocumentReference/note'], exclude: ['Observation/saturation'] } });
    expect(errors(submission.bundle)).toEqual([]);
    expect(optionalOf(submission)).toEqual([
      ['Condition/copd', 'Reason of the order'],
      ['Observation/criterion', 'The payer’s criteria rest on it'],
      ['Observation/panel', 'The payer’s criteria rest on it'],
      ['Observation/member', 'Another entry that is sent is made of it'],
      ['Observation/chosen', 'You added it'],
      ['DocumentReference/note', 'You added it'],
    ]);
    expect(submission.summary.leftOut).toMatchObject([{ reference: 'Observation/saturation', byPerson: true }]);
    expect(submission.summary.resources.find(({ resourceType }) => resourceType === 'QuestionnaireResponse')).not.toHaveProperty('optional');
    expect(JSON.stringify(submission.bundle)).not.toContain('Observation unasked');
    expect(claimOf(submission.bundle).supportingInfo).toHaveLength(7);
  });

  it('a document goes with its content inside', () => {
    const { bundle } = built(version, { chosen: { include: ['DocumentReference/note'], exclude: [] } });
    const sent = bundle.entry?.map(({ resource }) => resource).find((resource): resource is DocumentReference => resource?.resourceType === 'DocumentReference');
    expect(sent?.content).toEqual([{ attachment: { contentType: 'application/pdf', data: 'SGVsbG8=' } }]);
    expect(errors(bundle)).toEqual([]);
  });

  it('an earlier prescription goes with its drug by code and its prescriber by number', () => {
    const { bundle, summary } = built(version, { chosen: { include: ['MedicationRequest/tried'], exclude: [] } });
    const sent = bundle.entry?.map(({ resource }) => resource).find((resource): resource is MedicationRequest => resource?.resourceType === 'MedicationRequest');
    expect(sent).toMatchObject({ medicationCodeableConcept: { text: 'Methotrexate' }, requester: { identifier: { value: 'Practitioner/another' } } });
    expect(sent).not.toHaveProperty('medicationReference');
    expect(summary.leftOut).toEqual([]);
    expect(errors(bundle)).toEqual([]);
  });

  it('a completed form goes as it is, under a category of additional information', () => {
    const { bundle } = built(version);
    const urn = bundle.entry?.find(({ resource }) => resource?.resourceType === 'QuestionnaireResponse')?.fullUrl;
    const information = claimOf(bundle).supportingInfo?.find(({ valueReference }) => valueReference?.reference === urn);
    expect(information?.category.coding?.[0]?.code).toBe('additionalInformation');
    expect(information?.extension?.some(({ url }) => url === PAS_EXTENSIONS.documentInformation) ?? false).toBe(version === '2.2.1');
    const form = bundle.entry?.map(({ resource }) => resource).find((resource): resource is QuestionnaireResponse => resource?.resourceType === 'QuestionnaireResponse');
    expect(form).toMatchObject({ questionnaire: sampleForm.questionnaire, status: 'completed', item: sampleForm.item });
    expect(errors(bundle)).toEqual([]);
  });
});
