import type { Extension } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import { type CoverageRequirement, UNDETERMINED_CAUSES } from '#prior-auth/coverage-requirement/requirement.ts';
import { CRD_VERSIONS, type CrdVersion } from '../hook-call.ts';
import { ANSWER_WRITERS } from './answer-writers.ts';

const VALIDATORS = { '2.0': openValidator(['crd-2.0.1']), '2.2': openValidator(['crd-2.2.0-preview']) };
const requirement: CoverageRequirement = { coverage: 'Coverage/c1', covered: 'covered', paNeeded: 'auth-needed', docPurpose: [], infoNeeded: [], reasons: [], questionnaires: [], date: '2026-11-22', assertionId: 'a1' };
const conditional = { covered: 'conditional', paNeeded: 'conditional', infoNeeded: ['OTH'], reasons: ['why'] } as const;
const TEMP = 'http://hl7.org/fhir/us/davinci-crd/CodeSystem/temp';

/** The extension's parts of that name, without their name. */
function parts(version: CrdVersion, changes: Partial<CoverageRequirement>, name: string): readonly object[] {
  const written = ANSWER_WRITERS[version].coverageInformation({ ...requirement, ...changes });
  return (written.extension ?? []).filter(({ url }) => url === name).map(({ url: _name, ...rest }) => rest);
}
const detailParts = (version: CrdVersion, changes: Partial<CoverageRequirement>) => parts(version, changes, 'detail').map((detail) => Object.fromEntries(((detail as Extension).extension ?? []).map(({ url, ...value }) => [url, Object.values(value)[0]])));

/** CRD 2.0.1 and 2.2 side by side: concern, what is asked of both, and what each then says. */
describe('differences between the versions', () => {
  it.each<[string, (version: CrdVersion) => unknown, unknown, unknown]>([
    ['topic system', (version) => ANSWER_WRITERS[version].topic('guideline', 'x').system, TEMP, 'http://terminology.hl7.org/CodeSystem/cdshooks-card-type'],
    ['associated resource', (version) => ANSWER_WRITERS[version].associatedResources(['DeviceRequest/1']), ['DeviceRequest/1'], [{ reference: 'DeviceRequest/1' }]],
    ['call that does not conform', (version) => ANSWER_WRITERS[version].statusNotConforming, 422, 400],
    ['an ordered appointment is answered on', (version) => ANSWER_WRITERS[version].appointmentAnswerOn, 'appointment', 'service-request'],
    ['clinical and administrative documents', (version) => parts(version, { docNeeded: 'both' }, 'doc-needed'), [{ valueCode: 'both' }], [{ valueCode: 'clinical' }, { valueCode: 'admin' }]],
    ['contact', (version) => parts(version, { contacts: [{ name: 'Desk', telecom: [{ system: 'phone', value: '1' }, { system: 'fax', value: '2' }] }] }, 'contact'), [{ valueContactPoint: { system: 'phone', value: '1' } }, { valueContactPoint: { system: 'fax', value: '2' } }], [{ valueContactDetail: { name: 'Desk', telecom: [{ system: 'phone', value: '1' }, { system: 'fax', value: '2' }] } }]],
    ['category of a detail', (version) => detailParts(version, { details: [{ code: 'allowed-quantity', value: { value: 3, unit: 'months' }, category: 'limitation' }] })[0]?.['category'], undefined, 'cat-limitation'],
    ['category of the policy revision', (version) => detailParts(version, { policy: { policyId: 'p', revision: '1' } })[0]?.['category'], undefined, 'cat-other'],
    ['code system of a detail', (version) => detailParts(version, { details: [{ code: 'allowed-quantity', value: 'x' }] })[0]?.['code'], { coding: [{ system: TEMP, code: 'allowed-quantity' }] }, { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/crd-coverage-detail', code: 'allowed-quantity' }] }],
    ['expiry', (version) => parts(version, { expiryDate: '2027-01-31' }, 'expiry-date'), [], [{ valueDate: '2027-01-31' }]],
    ['technical trouble: covered', (version) => parts(version, { ...conditional, cause: 'technical' }, 'covered'), [{ valueCode: 'conditional' }], [{ valueCode: 'indeterminate' }]],
    ['technical trouble: pa-needed', (version) => parts(version, { ...conditional, cause: 'technical' }, 'pa-needed'), [{ valueCode: 'conditional' }], [{ valueCode: 'indeterminate' }]],
    ['technical trouble: info-needed', (version) => parts(version, { ...conditional, cause: 'technical' }, 'info-needed'), [{ valueCode: 'OTH' }], []],
    ...UNDETERMINED_CAUSES.map((cause): [string, (version: CrdVersion) => unknown, unknown, unknown] => [`reason of ${cause}`, (version) => parts(version, { ...conditional, cause }, 'reason'), [{ valueCodeableConcept: { text: 'why' } }], [{ valueCodeableConcept: { coding: [{ system: TEMP, code: cause }], text: 'why' } }]]),
    ...UNDETERMINED_CAUSES.filter((cause) => cause !== 'technical').map((cause): [string, (version: CrdVersion) => unknown, unknown, unknown] => [`covered of ${cause}`, (version) => parts(version, { ...conditional, cause }, 'covered'), [{ valueCode: 'conditional' }], [{ valueCode: 'not-covered' }]]),
    ['no authorization for what is not covered', (version) => parts(version, { ...conditional, cause: 'no-active-coverage' }, 'pa-needed'), [{ valueCode: 'conditional' }], []],
  ])('%s', (_concern, ask, in201, in22) => {
    expect([ask('2.0'), ask('2.2')]).toEqual([in201, in22]);
  });
});

describe.each(CRD_VERSIONS)('CRD %s: coverage-information is valid', (version) => {
  const documents = { docNeeded: 'both', docPurpose: ['withpa'], reasons: ['why'], questionnaires: ['https://payer.example/Questionnaire/q|1'] } as const;
  const { paNeeded: _none, ...withoutAuthorization } = requirement;
  it.each<[string, CoverageRequirement]>([
    ['plain', { ...requirement, paNeeded: 'no-auth' }],
    ['with documents', { ...requirement, ...documents }],
    ['not covered', { ...withoutAuthorization, covered: 'not-covered' }],
    ['satisfied', { ...requirement, paNeeded: 'satisfied', satisfiedPaId: 'PA1' }],
    ['conditional', { ...requirement, ...conditional }],
    ['performer asks', { ...requirement, paNeeded: 'performpa' }],
    ['everything', { ...requirement, ...documents, billingCodes: [{ system: 'http://www.ama-assn.org/go/cpt', code: '93000' }], details: [{ code: 'allowed-quantity', value: { value: 3, unit: 'months' }, qualification: 'q', category: 'limitation' }, { code: 'concurrent-review', value: true }, { code: 'allowed-period', value: 'x' }], dependencies: ['ServiceRequest/2'], contacts: [{ telecom: [{ system: 'phone', value: '1' }] }], expiryDate: '2027-01-31', policy: { policyId: 'p', revision: '1' } }],
    ...UNDETERMINED_CAUSES.map((cause): [string, CoverageRequirement] => [cause, { ...requirement, ...conditional, cause }]),
  ])('%s', (_name, given) => {
    expect(emissionFaults([given])).toEqual([]);
    const order = { resourceType: 'ServiceRequest', id: 's1', status: 'draft', intent: 'order', code: { text: 'x' }, subject: { reference: 'Patient/p1' }, authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' }, extension: [ANSWER_WRITERS[version].coverageInformation(given)] } as const;
    expect(VALIDATORS[version].validate(order, { profile: 'http://hl7.org/fhir/us/davinci-crd/StructureDefinition/profile-servicerequest' }).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(readCoverageInformation(order)).toMatchObject([{ coverage: 'Coverage/c1', date: '2026-11-22', assertionId: 'a1' }]);
  });
});
