import { randomUUID } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import type { Bundle, Claim, Condition, Coverage, MedicationRequest, Organization, Patient, Practitioner, Resource, ServiceRequest } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { sampleForm, sampleInput, samplePatient, samplePractitioner } from '#test-fixtures/pas-submission-input.ts';
import { isOrder, readRequestedService } from '../order/read-requested-service.ts';
import type { Order } from '../order/requested-service.ts';
import { buildInquiry } from './build-inquiry.ts';
import { buildSubmission } from './build-submission.ts';
import type { PasVersion } from './request-change.ts';
import type { SubmissionInput } from './submission-input.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) } as const;
const VERSIONS: readonly PasVersion[] = ['2.0.1', '2.2.1'];

function build(input: SubmissionInput, version: PasVersion = '2.0.1'): Bundle {
  const submission = buildSubmission(input, { ids: randomUUID, now: NOW, version });
  if (submission.kind !== 'built') throw new Error(JSON.stringify(submission.problems));
  return submission.bundle;
}
function problemsOf(input: SubmissionInput): string[] {
  const submission = buildSubmission(input, { ids: randomUUID, now: NOW });
  return submission.kind === 'incomplete' ? submission.problems.map(({ code }) => code) : [];
}
function errorsOf(bundle: Bundle, version: PasVersion = '2.0.1'): string[] {
  return validators[version].validate(bundle).issues.filter(({ severity }) => severity === 'error').map(({ code, path, message }) => `${code} ${path} ${message}`);
}
function only<T extends Resource['resourceType']>(bundle: Bundle, type: T, profile = ''): Extract<Resource, { resourceType: T }> {
  const found = bundle.entry?.find(({ resource }) => resource?.resourceType === type && (resource.meta?.profile?.[0] ?? '').endsWith(profile))?.resource;
  if (!found) throw new Error(`no ${type}`);
  return found as Extract<Resource, { resourceType: T }>;
}
function literalReferences(value: unknown): string[] {
  if (Array.isArray(value)) return value.flatMap(literalReferences);
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, inner]) => (key === 'reference' && typeof inner === 'string' ? [inner] : literalReferences(inner)));
}

describe('a bundle', () => {
  const bundle = build(sampleInput());
  const claim = bundle.entry?.[0]?.resource as Claim;

  it('is valid, begins with the Claim, and is closed under v4 urns without duplicates', () => {
    expect(errorsOf(bundle)).toEqual([]);
    expect(claim.resourceType).toBe('Claim');
    const urls = bundle.entry?.map(({ fullUrl }) => fullUrl ?? '') ?? [];
    expect(new Set(urls).size).toBe(urls.length);
    for (const url of urls) expect(url).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    const references = literalReferences(bundle);
    for (const reference of references) expect(urls).toContain(reference);
    for (const url of urls.slice(1)) expect(references).toContain(url);
  });

  it('sends the minimum necessary', () => {
    const sent = JSON.stringify(bundle);
    expect(sent).not.toContain('999-00-1111');
    expect(sent).not.toContain('no business with');
    expect(sent).not.toContain('Encounter/');
    expect(bundle.entry?.every(({ resource }) => resource?.id === undefined)).toBe(true);
  });

  it('mends what the record has messy', () => {
    const order = only(bundle, 'DeviceRequest');
    expect(order.intent).toBe('order');
    expect(order.codeCodeableConcept?.coding?.[0]).toEqual({ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390', display: 'Oxygen concentrator' });
    expect(claim.diagnosis?.[0]).toMatchObject({ diagnosisCodeableConcept: { coding: [{ code: 'J44.9' }] } });
    expect(claim.diagnosis?.[0]).not.toHaveProperty('extension'); // recordedDate is partial
    expect(only(bundle, 'Patient')).not.toHaveProperty('birthDate'); // so is the birth date
    expect(only(bundle, 'PractitionerRole')).toMatchObject({ practitioner: {}, organization: {} });
  });

  it('carries item, scope, trace number and supporting information', () => {
    expect(claim.careTeam?.[0]).toMatchObject({ extension: [{ valueBoolean: false }] });
    expect(claim.item?.[0]).toMatchObject({ careTeamSequence: [1], diagnosisSequence: [1], category: { coding: [{ code: '12' }] }, locationCodeableConcept: { coding: [{ code: '12' }] } });
    expect(claim.supportingInfo).toHaveLength(3);
    expect(claim.item?.[0]?.extension?.map(({ url }) => url.split('/').at(-1))).toEqual(['extension-itemTraceNumber', 'extension-serviceItemRequestType', 'extension-certificationType', 'extension-requestedService']);
  });

  it('is the same bytes for the same ids', () => {
    const counted = () => {
      let next = 0;
      return () => `00000000-0000-4000-8000-${String((next += 1)).padStart(12, '0')}`;
    };
    const [one, other] = [counted(), counted()].map((ids) => JSON.stringify(buildSubmission(sampleInput(), { ids, now: NOW })));
    expect(one).toBe(other);
  });

  it('keeps the author of an answer by name when he is not in the bundle (DTR dtrx-1)', () => {
    const made = build(sampleInput({ questionnaireResponses: [{ ...sampleForm, author: { reference: 'Practitioner/somebody-else' } }] }));
    expect(only(made, 'QuestionnaireResponse').author).toEqual({ identifier: { system: 'http://localhost:3000/ehr/fhir', value: 'Practitioner/somebody-else' } });
    expect(errorsOf(made)).toEqual([]);
  });

  it('leads an inquiry with the same parties and trace number, valid, without anything clinical', () => {
    const inquiry = buildInquiry(bundle, { decidedAt: '', overall: 'pended', errors: [], items: [{ sequence: 1, decision: { kind: 'pended', administrativeReference: 'PEND0001', explanation: [] } }] }, { ids: randomUUID, now: NOW });
    expect(errorsOf(inquiry)).toEqual([]);
    expect(JSON.stringify(inquiry)).toContain('PEND0001');
    expect(inquiry.entry?.map(({ resource }) => resource?.resourceType)).toEqual(['Claim', 'Patient', 'Organization', 'Organization', 'Coverage']);
    expect(inquiry.identifier?.value).not.toBe(bundle.identifier?.value);
  });
});

describe('other orders', () => {
  const service: ServiceRequest = { resourceType: 'ServiceRequest', id: 's1', status: 'active', intent: 'plan', subject: { reference: 'Patient/patient-1' }, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '78452' }] }, quantityQuantity: { value: 1 }, occurrenceDateTime: '2026-12-01T09:30:00Z', priority: 'urgent' };
  it('a service: date of ten characters, urgency, office', () => {
    const bundle = build(sampleInput({ order: service }));
    const claim = bundle.entry?.[0]?.resource as Claim;
    expect(claim.item?.[0]).toMatchObject({ servicedDate: '2026-12-01', category: { coding: [{ code: '1' }] }, locationCodeableConcept: { coding: [{ code: '11' }] } });
    expect(claim).toMatchObject({ priority: { coding: [{ code: 'stat' }] }, extension: [{ valueCodeableConcept: { coding: [{ code: 'U' }] } }] });
    expect(errorsOf(bundle)).toEqual([]);
  });
  it('a drug keeps its RxNorm code beside the billed one', () => {
    const drug: MedicationRequest = { resourceType: 'MedicationRequest', id: 'm1', status: 'active', intent: 'order', subject: { reference: 'Patient/patient-1' }, authoredOn: '2026-11-20', medicationCodeableConcept: { coding: [{ system: 'http://www.nlm.nih.gov/research/umls/rxnorm', code: '105611' }, { system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'J0585' }] }, dosageInstruction: [{ text: 'once', timing: { repeat: { frequency: 1, period: 12, periodUnit: 'wk', boundsPeriod: { start: '2026' } } } }] };
    const bundle = build(sampleInput({ order: drug }));
    expect(only(bundle, 'MedicationRequest').medicationCodeableConcept?.coding?.map(({ code }) => code)).toEqual(['105611', 'J0585']);
    expect(errorsOf(bundle)).toEqual([]);
  });
  it('another holder of the insurance is the subscriber', () => {
    const coverage: Coverage = { ...sampleInput().coverage, subscriber: { reference: 'Patient/mother' }, relationship: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship', code: 'child' }] } };
    const bundle = build(sampleInput({ coverage, subscriber: { ...samplePatient, id: 'mother', name: [{ text: 'Mary Example' }] } }));
    expect(only(bundle, 'Coverage').subscriber?.reference).toMatch(/^urn:uuid:/);
    expect(only(bundle, 'Patient', 'profile-subscriber').name).toEqual([{ family: 'Example', given: ['Mary'] }]);
    expect(errorsOf(bundle)).toEqual([]);
  });
  it('an order without any clinician is asked for by the clinic', () => {
    const bundle = build(sampleInput({ practitioner: undefined }));
    expect(bundle.entry?.some(({ resource }) => resource?.resourceType === 'PractitionerRole')).toBe(false);
    expect(errorsOf(bundle)).toEqual([]);
  });
});

describe('what cannot be sent says what to do', () => {
  const base = sampleInput();
  const withoutId: Coverage = { resourceType: 'Coverage', id: 'c', status: 'active', beneficiary: { reference: 'Patient/patient-1' }, payor: [{}] };
  it.each<[string, Partial<SubmissionInput>, string]>([
    ['no member number', { coverage: withoutId }, 'MEMBER_ID_MISSING'],
    ['coverage cancelled', { coverage: { ...base.coverage, status: 'cancelled' } }, 'COVERAGE_NOT_ACTIVE'],
    ['no name', { patient: { ...samplePatient, name: [{ use: 'official' }] } }, 'PATIENT_NAME_MISSING'],
    ['an NPI of nine digits', { practitioner: { ...samplePractitioner, identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '348074389' }] } }, 'CLINICIAN_IDENTIFIER_MISSING'],
    ['a clinician without a name', { practitioner: { ...samplePractitioner, name: [] } }, 'CLINICIAN_NAME_MISSING'],
    ['a clinic without a number', { clinic: { resourceType: 'Organization', name: 'Clinic' } }, 'CLINIC_IDENTIFIER_MISSING'],
    ['an order without a billing code', { order: { ...base.order, codeCodeableConcept: { text: 'oxygen' } } as Order }, 'SERVICE_CODE_MISSING'],
    ['a reason in SNOMED only', { supporting: [{ resourceType: 'Condition', id: 'copd', code: { coding: [{ system: 'http://snomed.info/sct', code: '13645005' }] }, subject: { reference: 'Patient/patient-1' } }] }, 'DIAGNOSIS_NOT_ICD10CM'],
    ['a form that is not completed', { questionnaireResponses: [{ ...sampleForm, status: 'in-progress' }] }, 'FORM_NOT_COMPLETED'],
    ['evidence of another patient', { supporting: base.supporting.map((resource) => (resource.id === 'saturation' ? ({ ...resource, subject: { reference: 'Patient/another' } } as Resource) : resource)) }, 'EVIDENCE_OF_OTHER_PATIENT'],
    ['a vision prescription', { order: { resourceType: 'VisionPrescription', id: 'v', status: 'active', created: '2026-11-20', dateWritten: '2026-11-20', patient: {}, prescriber: {}, lensSpecification: [{ eye: 'left', product: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '92340' }] } }] } as unknown as Order }, 'ORDER_TYPE_NOT_SUPPORTED'],
  ])('%s: %s', (_name, changes, code) => {
    expect(problemsOf(sampleInput(changes))).toContain(code);
  });
  it('names every problem, not only the first', () => {
    expect(problemsOf(sampleInput({ coverage: withoutId, clinic: { resourceType: 'Organization' } }))).toEqual(['MEMBER_ID_MISSING', 'CLINIC_IDENTIFIER_MISSING']);
  });
});

describe('random legal input', () => {
  const word = fc.stringMatching(/^[A-Za-z][a-z]{1,9}$/);
  const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
  const date = fc.date({ min: new Date('1930-01-01'), max: new Date('2026-11-20'), noInvalidDate: true }).map((day) => day.toISOString().slice(0, 10));
  const fhirDate = fc.tuple(date, fc.constantFrom(4, 7, 10)).map(([day, length]) => day.slice(0, length));
  const hcpcs = fc.tuple(fc.constantFrom('http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', 'https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', 'urn:oid:2.16.840.1.113883.6.285'), fc.stringMatching(/^[A-V][0-9]{4} ?$/)).map(([system, code]) => ({ system, code }));
  const cpt = fc.stringMatching(/^[0-9]{5}$/).map((code) => ({ system: 'http://www.ama-assn.org/go/cpt', code }));
  const status = fc.constantFrom('draft', 'active', 'on-hold', 'completed', 'unknown');
  const intent = fc.constantFrom('proposal', 'plan', 'order', 'original-order', 'filler-order');
  const priority = maybe(fc.constantFrom('routine', 'urgent', 'asap', 'stat'));
  const defined = <T extends object>(value: T): T => JSON.parse(JSON.stringify(value)) as T;
  const order = fc.oneof(
    fc.record({ status, intent, priority, code: hcpcs, authored: maybe(fhirDate), months: maybe(fc.integer({ min: 1, max: 99 })) }).map(({ status: s, intent: i, priority: p, code, authored, months }) =>
      defined({ resourceType: 'DeviceRequest', id: 'o', status: s, intent: i, priority: p, codeCodeableConcept: { coding: [code] }, subject: { reference: 'Patient/patient-1' }, authoredOn: authored, occurrenceTiming: months ? { repeat: { boundsDuration: { value: months, unit: 'mo', system: 'http://unitsofmeasure.org', code: 'mo' } } } : undefined }),
    ),
    fc.record({ status, intent, priority, code: fc.oneof(hcpcs, cpt), start: maybe(fhirDate), end: maybe(fhirDate), quantity: maybe(fc.integer({ min: 1, max: 20 })) }).map(({ status: s, intent: i, priority: p, code, start, end, quantity }) =>
      defined({ resourceType: 'ServiceRequest', id: 'o', status: s, intent: i, priority: p, code: { coding: [code] }, subject: { reference: 'Patient/patient-1' }, occurrencePeriod: start || end ? { start, end } : undefined, quantityQuantity: quantity ? { value: quantity } : undefined }),
    ),
  ) as unknown as fc.Arbitrary<Order>;
  const patient = fc.record({ family: maybe(word), given: fc.array(word, { minLength: 1, maxLength: 3 }), gender: maybe(fc.constantFrom('male', 'female', 'other', 'unknown')), birthDate: maybe(fhirDate), city: maybe(word), phone: maybe(fc.stringMatching(/^[0-9]{10}$/)) }).map(({ family, given, gender, birthDate, city, phone }) =>
    defined({ resourceType: 'Patient', id: 'patient-1', name: [{ family, given }], gender, birthDate, address: city ? [{ city }] : undefined, telecom: phone ? [{ system: 'phone', value: phone }] : undefined, identifier: [{ value: 'no system' }] }),
  ) as unknown as fc.Arbitrary<Patient>;
  const diagnoses = fc.array(fc.stringMatching(/^[A-TV-Z][0-9][0-9](\.?[0-9]{1,2})?$/), { maxLength: 15 }).map((codes) =>
    codes.map((code, index): Condition => ({ resourceType: 'Condition', id: `dx${index}`, code: { coding: [{ system: index % 2 ? 'urn:oid:2.16.840.1.113883.6.90' : 'http://hl7.org/fhir/sid/icd-10-cm', code }] }, subject: { reference: index % 3 ? 'Patient/patient-1' : 'http://localhost:3000/ehr/fhir/Patient/patient-1' } })),
  );

  it.each(VERSIONS)('gives a valid bundle, %s', (version) => {
    fc.assert(
      fc.property(order, patient, diagnoses, fc.boolean(), (made, person, conditions, hasClinician) => {
        const bundle = build(sampleInput({
          order: { ...made, reasonReference: conditions.map(({ id }) => ({ reference: `Condition/${id}` })) } as Order,
          patient: person,
          supporting: [...sampleInput().supporting, ...conditions],
          ...(hasClinician ? {} : { practitioner: undefined }),
        }), version);
        expect(errorsOf(bundle, version)).toEqual([]);
      }),
      { numRuns: 80 },
    );
  });
});

describe('other people’s records (test-ehr-seed)', () => {
  const folder = `${import.meta.dirname}/../../../shared/cases/ehr/test-ehr-seed`;
  const available = existsSync(folder);
  if (!available) console.warn('left out: ../shared/cases/ehr/test-ehr-seed is not there');
  const resources = available
    ? readdirSync(folder).filter((file) => file.endsWith('.json')).flatMap((file): Resource[] => {
        const resource = JSON.parse(readFileSync(`${folder}/${file}`, 'utf8')) as Resource;
        return resource.resourceType === ('Bundle' as string) ? ((resource as Bundle).entry ?? []).flatMap((entry) => entry.resource ?? []) : [resource];
      })
    : [];
  const find = <T extends Resource>(reference: string | undefined): T | undefined => resources.find((resource) => `${resource.resourceType}/${resource.id}` === reference) as T | undefined;
  const orders = resources.filter((resource): resource is Order => isOrder(resource));

  it.skipIf(!available).each(VERSIONS)('every order of theirs is a valid bundle or a problem that says what to do, %s', (version) => {
    const outcomes = orders.map((order) => {
      const subject = ('subject' in order ? order.subject?.reference : undefined) ?? '';
      const patient = find<Patient>(subject);
      const coverage = resources.find((resource): resource is Coverage => resource.resourceType === 'Coverage' && resource.beneficiary?.reference === subject);
      if (!patient || !coverage) return 'no patient or coverage';
      const requester = 'requester' in order ? order.requester?.reference : undefined;
      const own = resources.filter((resource) => JSON.stringify(resource).includes(`"${subject}"`));
      const evidence = own.filter(({ resourceType }) => resourceType === 'Condition' || resourceType === 'Observation').map(({ resourceType, id }) => ({ reference: `${resourceType}/${id}`, display: '' }));
      const base = sampleInput({ order, patient, coverage, practitioner: find<Practitioner>(requester), organization: find<Organization>('Organization/org1234'), questionnaireResponses: [], supporting: own, evidence });
      const submission = buildSubmission({ ...base, case: { ...base.case, service: readRequestedService(order) } }, { ids: randomUUID, now: NOW, version });
      if (submission.kind === 'incomplete') return submission.problems.map(({ code }) => code).join();
      expect(errorsOf(submission.bundle, version), `${order.resourceType}/${order.id}`).toEqual([]);
      return 'valid';
    });
    // The rest are orders of drugs by RxNorm alone, and in 2.2.1 those of clinicians whose NPI has a wrong check digit.
    const isTheirs = (outcome: string): boolean => outcome !== 'valid' && outcome.split(',').every((code) => code === 'SERVICE_CODE_MISSING' || (version === '2.2.1' && code === 'CLINICIAN_IDENTIFIER_MISSING'));
    expect(outcomes.filter((outcome) => outcome !== 'valid' && !isTheirs(outcome))).toEqual([]);
    expect(outcomes.filter((outcome) => outcome === 'valid').length).toBeGreaterThan(version === '2.0.1' ? 12 : 5);
  });
});

describe('documents', () => {
  const format = { system: CODE_SYSTEMS.documentFormat, code: 'urn:ihe:iti:xds:2017:mimeTypeSufficient' };
  const document = (url: string, content: object = { format }): Resource => ({
    resourceType: 'DocumentReference',
    id: 'note',
    status: 'current',
    type: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] },
    subject: { reference: 'Patient/patient-1' },
    content: [{ attachment: { contentType: 'text/plain', url }, ...content }],
  });
  const evidence = [{ reference: 'DocumentReference/note', display: 'Note' }];

  it('travel inside the bundle when they were read', () => {
    const bundle = build(sampleInput({ evidence, supporting: [...sampleInput().supporting, document('Binary/b1'), { resourceType: 'Binary', id: 'b1', contentType: 'text/plain', data: 'SGVsbG8=' }] }));
    expect(only(bundle, 'DocumentReference').content).toEqual([{ attachment: { contentType: 'text/plain', data: 'SGVsbG8=' }, format }]);
    expect(errorsOf(bundle)).toEqual([]);
  });
  it('else are named by an absolute url, and a format that names a value set stays behind', () => {
    const misnamed = { format: { system: 'http://hl7.org/fhir/ValueSet/formatcodes', code: 'urn:ihe:iti:xds:2017:mimeTypeSufficient' } };
    const bundle = build(sampleInput({ evidence, supporting: [...sampleInput().supporting, document('Binary/b1', misnamed)] }));
    expect(only(bundle, 'DocumentReference').content[0]).not.toHaveProperty('format');
    expect(only(bundle, 'DocumentReference').content[0]?.attachment.url).toBe('http://localhost:3000/ehr/fhir/Binary/b1');
    expect(errorsOf(bundle)).toEqual([]);
  });
});
