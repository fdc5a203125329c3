import { randomUUID } from 'node:crypto';
import type { Bundle, Claim, DeviceRequest, Location, MedicationRequest, NutritionOrder, Organization, Practitioner, PractitionerRole, Resource, ServiceRequest } from '@medplum/fhirtypes';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { readRequestedService } from '../order/read-requested-service.ts';
import type { Order } from '../order/requested-service.ts';
import { buildSubmission } from './build-submission.ts';
import type { BuildRequest, PasVersion } from './request-change.ts';
import type { SubmissionInput } from './submission-input.ts';

const NOW = Date.parse('2026-11-22T10:00:00Z');
const VERSIONS: readonly PasVersion[] = ['2.0.1', '2.2.1'];
const validators = { '2.0.1': openValidator(['pas-2.0.1']), '2.2.1': openValidator(['pas-2.2.1']) } as const;
const subject = { reference: 'Patient/patient-1' };
const npi = (value: string) => [{ system: CODE_SYSTEMS.npi, value }];

const hospital: Organization = { resourceType: 'Organization', id: 'hospital', active: true, name: 'Bay Hospital (synthetic)', identifier: npi('1234567893'), telecom: [{ system: 'phone', value: '555-0111' }], address: [{ city: 'Portland', state: 'OR' }] };
const surgeon: Practitioner = { resourceType: 'Practitioner', id: 'surgeon', identifier: npi('1386661239'), name: [{ family: 'Okafor', given: ['Ngozi'] }], telecom: [{ system: 'phone', value: '555-0112' }] };
const surgeonRole: PractitionerRole = { resourceType: 'PractitionerRole', id: 'surgeon-role', practitioner: { reference: 'Practitioner/surgeon' }, organization: { reference: 'Organization/hospital' }, telecom: [{ system: 'phone', value: '555-0113' }] };
const ward: Location = { resourceType: 'Location', id: 'ward', status: 'active', name: 'Bay Hospital, ward 3', type: [{ coding: [{ system: CODE_SYSTEMS.placeOfService, code: '21' }] }], address: { line: ['3 Quay'], city: 'Portland', state: 'OR', postalCode: '97201' }, managingOrganization: { reference: 'Organization/hospital' } };
const unknownDoctor: Practitioner = { resourceType: 'Practitioner', id: 'unknown', name: [{ family: 'Nowhere' }] };
const record: readonly Resource[] = [hospital, surgeon, surgeonRole, ward, unknownDoctor];

const service = (changes: Partial<ServiceRequest>): ServiceRequest => ({ resourceType: 'ServiceRequest', id: 'o', status: 'active', intent: 'order', subject, authoredOn: '2026-11-20', ...changes });
const device = (changes: Partial<DeviceRequest>): DeviceRequest => ({ resourceType: 'DeviceRequest', id: 'o', status: 'active', intent: 'order', subject, authoredOn: '2026-11-20', ...changes });
const drug = (changes: Partial<MedicationRequest>): MedicationRequest => ({ resourceType: 'MedicationRequest', id: 'o', status: 'active', intent: 'order', subject, authoredOn: '2026-11-20', ...changes });
const nutrition = (changes: Partial<NutritionOrder>): NutritionOrder => ({ resourceType: 'NutritionOrder', id: 'o', status: 'active', intent: 'order', patient: subject, dateTime: '2026-11-20T09:00:00Z', ...changes });
const coded = (system: string, code: string) => ({ coding: [{ system, code }] });

function build(orders: readonly Order[], version: PasVersion, changes: Partial<SubmissionInput> = {}, request: BuildRequest = { kind: 'new' }) {
  const [first, ...further] = orders.map((order, index) => ({ ...order, id: `o${index}` }));
  if (!first) throw new Error('no order');
  const base = sampleInput({ order: first, furtherOrders: further, questionnaireResponses: [], evidence: [], ...changes, supporting: [...sampleInput().supporting, ...record, ...(changes.supporting ?? [])] }, { further: further.map((order) => readRequestedService(order)) });
  const submission = buildSubmission(base, { ids: randomUUID, now: NOW, version, request });
  if (submission.kind !== 'built') throw new Error(JSON.stringify(submission.problems));
  return submission;
}
function errorsOf(bundle: Bundle, version: PasVersion): string[] {
  return validators[version].validate(bundle).issues.filter(({ severity }) => severity === 'error').map(({ code, path, message }) => `${code} ${path} ${message}`);
}
const claimOf = (bundle: Bundle): Claim => bundle.entry?.[0]?.resource as Claim;
const typesOf = (bundle: Bundle): string[] => (bundle.entry ?? []).map(({ resource }) => resource?.resourceType ?? '');
const requestType = (code: string) => ({ url: PAS_EXTENSIONS.serviceItemRequestType, valueCodeableConcept: coded(CODE_SYSTEMS.x12RequestCategory, code) });
const scope = (isOverall: boolean) => [{ url: PAS_EXTENSIONS.careTeamClaimScope, valueBoolean: isOverall }];
const category = (code: string) => coded(CODE_SYSTEMS.pasTemp, code);
const monthly = { repeat: { frequency: 1, period: 1, periodUnit: 'mo' as const, boundsPeriod: { start: '2026-12-01', end: '2027-08-31' } } };

/** What pas.md wants of each setting: type of claim, its item, and what else the Claim says. */
const SETTINGS: readonly (readonly [string, Order, Record<string, unknown>, Record<string, unknown>])[] = [
  ['professional', service({ code: coded(CODE_SYSTEMS.cpt, '78452'), occurrenceDateTime: '2026-12-01', performer: [{ reference: 'Practitioner/surgeon' }] }),
    { category: coded(CODE_SYSTEMS.x12ServiceType, '1'), locationCodeableConcept: coded(CODE_SYSTEMS.placeOfService, '11'), servicedDate: '2026-12-01', careTeamSequence: [1, 2], extension: expect.arrayContaining([requestType('HS')]) },
    { type: coded(CODE_SYSTEMS.claimType, 'professional'), careTeam: [{ extension: scope(false) }, { extension: scope(false) }] }],
  ['institutional, inpatient', service({ code: coded(CODE_SYSTEMS.cpt, '33510'), occurrencePeriod: { start: '2026-12-02', end: '2026-12-09' }, performer: [{ reference: 'PractitionerRole/surgeon-role' }], locationReference: [{ reference: 'Location/ward' }] }),
    { category: coded(CODE_SYSTEMS.x12ServiceType, '2'), locationCodeableConcept: coded(CODE_SYSTEMS.placeOfService, '21'), extension: expect.arrayContaining([requestType('AR')]), careTeamSequence: [1] },
    { type: coded(CODE_SYSTEMS.claimType, 'institutional'), facility: { reference: expect.stringMatching(/^urn:uuid:/) }, careTeam: [{ extension: scope(false) }, { extension: scope(true) }, { extension: scope(true) }], supportingInfo: [{ sequence: 1, category: category('admissionDates'), timingDate: '2026-12-02' }, { sequence: 2, category: category('dischargeDates'), timingDate: '2026-12-09' }] }],
  ['institutional, skilled nursing without a code', service({ code: { text: 'Skilled nursing stay' }, locationCode: [coded('http://terminology.hl7.org/CodeSystem/v3-RoleCode', 'SNF')], occurrencePeriod: { start: '2026-12-10', end: '2026-12-30' } }),
    { productOrService: coded(CODE_SYSTEMS.dataAbsentReason, 'not-applicable'), locationCodeableConcept: coded(CODE_SYSTEMS.placeOfService, '31'), extension: expect.arrayContaining([requestType('AR')]) },
    { type: coded(CODE_SYSTEMS.claimType, 'institutional') }],
  ['admission by its kind', service({ code: coded(CODE_SYSTEMS.snomed, '32485007'), occurrenceDateTime: '2026-12-10' }),
    { locationCodeableConcept: coded(CODE_SYSTEMS.placeOfService, '21'), extension: expect.arrayContaining([requestType('AR')]) },
    { supportingInfo: [{ category: category('admissionDates'), timingDate: '2026-12-10' }] }],
  ['home care', service({ code: coded(CODE_SYSTEMS.hcpcs, 'G0299'), quantityQuantity: { value: 12, unit: 'visits' }, occurrencePeriod: { start: '2026-12-01', end: '2027-01-30' } }),
    { category: coded(CODE_SYSTEMS.x12ServiceType, '42'), locationCodeableConcept: coded(CODE_SYSTEMS.placeOfService, '12'), quantity: { value: 12, unit: 'visits' }, servicedPeriod: { start: '2026-12-01', end: '2027-01-30' } },
    { type: coded(CODE_SYSTEMS.claimType, 'professional') }],
  ['DME, rented by the month', device({ codeCodeableConcept: { coding: [{ system: CODE_SYSTEMS.hcpcs, code: 'E0601' }, { system: CODE_SYSTEMS.hcpcs, code: 'RR' }] }, parameter: [{ valueQuantity: { value: 9, unit: 'months' } }, { valueCodeableConcept: coded(CODE_SYSTEMS.hcpcs, 'kh') }], occurrenceTiming: monthly, performer: { reference: 'Organization/hospital' } }),
    { productOrService: coded(CODE_SYSTEMS.hcpcs, 'E0601'), modifier: [coded(CODE_SYSTEMS.hcpcs, 'RR'), coded(CODE_SYSTEMS.hcpcs, 'KH')], category: coded(CODE_SYSTEMS.x12ServiceType, '18'), quantity: { value: 9, unit: 'months' }, servicedPeriod: { start: '2026-12-01', end: '2027-08-31' }, careTeamSequence: [1, 2] },
    {}],
  ['DME, bought new', device({ codeCodeableConcept: { coding: [{ system: CODE_SYSTEMS.hcpcs, code: 'NU' }, { system: CODE_SYSTEMS.hcpcs, code: 'E1390' }] } }),
    { productOrService: coded(CODE_SYSTEMS.hcpcs, 'E1390'), modifier: [coded(CODE_SYSTEMS.hcpcs, 'NU')], category: coded(CODE_SYSTEMS.x12ServiceType, '12') }, {}],
  ['a drug given by a clinician (J-code), drafted', drug({ status: 'draft', medicationCodeableConcept: { coding: [{ system: CODE_SYSTEMS.rxnorm, code: '105611' }, { system: CODE_SYSTEMS.hcpcs, code: 'J0585' }] }, dispenseRequest: { quantity: { value: 200, unit: 'UNT' }, validityPeriod: { start: '2026-12-01', end: '2027-11-30' }, performer: { reference: 'Organization/hospital' } }, dosageInstruction: [{ text: 'every 12 weeks', timing: { repeat: { frequency: 1, period: 12, periodUnit: 'wk' } } }] }),
    { productOrService: coded(CODE_SYSTEMS.hcpcs, 'J0585'), quantity: { value: 200, unit: 'UNT' }, servicedPeriod: { start: '2026-12-01', end: '2027-11-30' } }, {}],
  ['a drug from the pharmacy (NDC)', drug({ medicationCodeableConcept: coded(CODE_SYSTEMS.ndc, '0777-3105-02'), dosageInstruction: [{ timing: { code: coded('http://terminology.hl7.org/CodeSystem/v3-GTSAbbreviation', 'BID') } }] }),
    { productOrService: coded(CODE_SYSTEMS.ndc, '00777310502') }, {}],
  ['a drug taken as needed', drug({ medicationCodeableConcept: coded(CODE_SYSTEMS.hcpcs, 'J1100'), dosageInstruction: [{ asNeededBoolean: true, timing: { repeat: { dayOfWeek: ['mon'] } } }] }), {}, {}],
  ['a referral without a code', service({ category: [coded(CODE_SYSTEMS.snomed, '3457005')], code: { text: 'Rheumatology' }, occurrencePeriod: { start: '2026-12-01', end: '2027-03-01' }, performer: [{ reference: 'PractitionerRole/surgeon-role' }] }),
    { productOrService: coded(CODE_SYSTEMS.x12ServiceType, '3'), category: coded(CODE_SYSTEMS.x12ServiceType, '3'), extension: expect.arrayContaining([requestType('SC')]) },
    { careTeam: [{ extension: scope(false) }, { extension: scope(true) }], supportingInfo: [{ category: category('patientEvent'), timingPeriod: { start: '2026-12-01', end: '2027-03-01' } }] }],
  ['enteral nutrition', nutrition({ enteralFormula: { baseFormulaType: { coding: [{ system: CODE_SYSTEMS.snomed, code: '443031000124106' }, { system: CODE_SYSTEMS.hcpcs, code: 'B4150' }] }, administration: [{ schedule: { repeat: { frequency: 4, period: 1, periodUnit: 'd' } } }] } }),
    { productOrService: coded(CODE_SYSTEMS.hcpcs, 'B4150'), locationCodeableConcept: coded(CODE_SYSTEMS.placeOfService, '12') }, {}],
  ['a diet', nutrition({ oralDiet: { type: [coded(CODE_SYSTEMS.hcpcs, 'S9470')], schedule: [{ repeat: { boundsPeriod: { start: '2026-12-01', end: '2026-12-31' } } }] } }),
    { productOrService: coded(CODE_SYSTEMS.hcpcs, 'S9470'), servicedPeriod: { start: '2026-12-01', end: '2026-12-31' } }, {}],
];

describe.each(VERSIONS)('settings, PAS %s', (version) => {
  it.each(SETTINGS)('%s', (_name, order, item, claim) => {
    const { bundle } = build([order], version);
    expect(errorsOf(bundle, version)).toEqual([]);
    expect(claimOf(bundle)).toMatchObject(claim);
    expect(claimOf(bundle).item?.[0]).toMatchObject(item);
  });

  it('entries of the people and places that the order names are there once, and lead to each other', () => {
    const [, inpatient] = SETTINGS.find(([name]) => name === 'institutional, inpatient') ?? [];
    const { bundle } = build([inpatient as Order], version);
    expect(typesOf(bundle).filter((type) => type === 'PractitionerRole')).toHaveLength(2);
    expect(typesOf(bundle).filter((type) => type === 'Organization')).toHaveLength(3);
    expect(typesOf(bundle).filter((type) => type === 'Location')).toHaveLength(1);
    expect(typesOf(bundle).filter((type) => type === 'Encounter')).toHaveLength(1);
    expect(bundle.entry?.map(({ resource }) => resource).find((resource) => resource?.resourceType === 'Encounter')).toMatchObject({ status: 'planned', class: { code: 'ACUTE' }, period: { start: '2026-12-02', end: '2026-12-09' } });
  });

  it('a performer who cannot be named to a payer stays behind, and the person is told', () => {
    const { bundle, summary } = build([service({ code: coded(CODE_SYSTEMS.cpt, '78452'), performer: [{ reference: 'Practitioner/unknown', display: 'Dr. Nowhere' }] })], version);
    expect(errorsOf(bundle, version)).toEqual([]);
    expect(summary.warnings).toMatchObject([{ code: 'PROVIDER_NOT_SENT', message: expect.stringContaining('Dr. Nowhere') }]);
  });

  it('whoever asks and does it himself is in the care team once', () => {
    const { bundle } = build([service({ code: coded(CODE_SYSTEMS.cpt, '78452'), performer: [{ reference: 'Practitioner/clinician-1' }] })], version);
    expect(claimOf(bundle).careTeam).toHaveLength(1);
    expect(errorsOf(bundle, version)).toEqual([]);
  });

  it('more than X12 has room for is sent, and the person is told', () => {
    const conditions: Resource[] = Array.from({ length: 13 }, (_, index) => ({ resourceType: 'Condition', id: `dx${index}`, clinicalStatus: coded(CODE_SYSTEMS.conditionClinical, 'active'), code: coded(CODE_SYSTEMS.icd10cm, `M${10 + index}.0`), subject }));
    const doctors: Practitioner[] = Array.from({ length: 15 }, (_, index) => ({ ...surgeon, id: `doctor${index}` }));
    const many = { code: coded(CODE_SYSTEMS.cpt, '78452'), reasonReference: conditions.map(({ id }) => ({ reference: `Condition/${id}` })), performer: doctors.map(({ id }) => ({ reference: `Practitioner/${id}` })) };
    const ofItem = build([service(many)], version, { supporting: [...conditions, ...doctors] });
    expect(ofItem.summary.warnings?.map(({ code }) => code)).toEqual(['DIAGNOSES_OVER_LIMIT', 'CARE_TEAM_OVER_LIMIT']);
    expect(errorsOf(ofItem.bundle, version)).toEqual([]);
    const overall = build([service({ ...many, category: [coded(CODE_SYSTEMS.snomed, '3457005')] })], version, { supporting: [...conditions, ...doctors] });
    expect(overall.summary.warnings?.map(({ code }) => code)).toEqual(['DIAGNOSES_OVER_LIMIT', 'CARE_TEAM_OVER_LIMIT']);
    expect(errorsOf(overall.bundle, version)).toEqual([]);
  });

  it('an added order brings its performers, and a stay can be cancelled', () => {
    const [, inpatient] = SETTINGS.find(([name]) => name === 'institutional, inpatient') ?? [];
    const [, rented] = SETTINGS.find(([name]) => name === 'DME, rented by the month') ?? [];
    const sent = build([inpatient as Order], version);
    const change = { cancel: [], change: [], add: ['DeviceRequest/o1'] };
    const added = build([inpatient as Order, rented as Order], version, {}, { kind: 'update', previous: sent, change });
    expect(errorsOf(added.bundle, version)).toEqual([]);
    expect(claimOf(added.bundle).careTeam?.map(({ sequence, extension }) => [sequence, extension?.[0]?.valueBoolean])).toEqual([[1, false], [2, true], [3, true]]);
    expect(claimOf(added.bundle).item?.[1]).toMatchObject({ careTeamSequence: [1, 3], modifier: [coded(CODE_SYSTEMS.hcpcs, 'RR'), coded(CODE_SYSTEMS.hcpcs, 'KH')] });
    const cancelled = build([inpatient as Order], version, {}, { kind: 'cancel', previous: added });
    expect(errorsOf(cancelled.bundle, version)).toEqual([]);
  });

  it.each(['revoked', 'entered-in-error'] as const)('an order that is %s is not asked for', (status) => {
    expect(() => build([service({ status, code: coded(CODE_SYSTEMS.cpt, '78452') })], version)).toThrow('ORDER_NOT_ACTIVE');
  });

  it('random cases of several settings are valid', () => {
    const order = fc.constantFrom(...SETTINGS.map(([, made]) => made));
    const day = fc.date({ min: new Date('2026-11-22'), max: new Date('2028-01-01'), noInvalidDate: true }).map((date) => date.toISOString().slice(0, 10));
    const performer = fc.subarray(['Practitioner/surgeon', 'PractitionerRole/surgeon-role', 'Organization/hospital', 'Practitioner/clinician-1', 'Practitioner/unknown', 'Practitioner/not-there', 'CareTeam/t'].map((reference) => ({ reference })));
    const frequency = fc.record({ frequency: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }), period: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }), count: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }), start: fc.option(day, { nil: undefined }) });
    const timing = frequency.map(({ frequency: times, period, count, start }) => JSON.parse(JSON.stringify({ repeat: { frequency: times, period, periodUnit: period ? 'wk' : undefined, count, boundsPeriod: start ? { start } : undefined } })) as ServiceRequest['occurrenceTiming']);
    const varied = fc.tuple(order, performer, timing, fc.constantFrom('11', '12', '21', '22', '31', '61'), fc.boolean()).map(([made, who, when, place, located]): Order => {
      if (made.resourceType === 'ServiceRequest') return { ...made, performer: who, ...(made.occurrencePeriod || !when ? {} : { occurrenceTiming: when }), ...(located || !made.code?.coding ? { locationReference: [{ reference: 'Location/ward' }] } : { locationCode: [coded(CODE_SYSTEMS.placeOfService, place)] }) };
      if (made.resourceType === 'DeviceRequest') return { ...made, ...(who[0] ? { performer: who[0] } : {}), ...(when ? { occurrenceTiming: when } : {}) };
      if (made.resourceType === 'MedicationRequest') return { ...made, ...(who[0] ? { performer: who[0] } : {}), dosageInstruction: [when ? { timing: when } : { text: 'daily' }] };
      return made;
    });
    fc.assert(
      fc.property(fc.array(varied, { minLength: 1, maxLength: 4 }), fc.boolean(), (orders, hasClinician) => {
        const { bundle, keys } = build(orders, version, hasClinician ? {} : { practitioner: undefined });
        expect(errorsOf(bundle, version)).toEqual([]);
        expect(keys.items).toHaveLength(orders.length);
      }),
      { numRuns: 60 },
    );
  });
});
