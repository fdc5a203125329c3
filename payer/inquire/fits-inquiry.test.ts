import type { Claim, ClaimItem, Extension } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { requestBundle, claimOf } from '#test-fixtures/payer-bench.ts';
import { fitsInquiry, type HeldRequest } from './fits-inquiry.ts';

const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
const held: HeldRequest = {
  claim: claimOf(requestBundle({ more: ['K0823'] })),
  decisions: new Map([
    [1, { kind: 'approved', authorizationNumber: 'PA1', issued: '2026-11-22', validity: { start: '2026-12-01', end: '2027-05-30' } }],
    [2, { kind: 'pended', referenceNumber: 'RF1', note: '' }],
  ]),
};
const base = { resourceType: 'Claim' } as Claim;
const root = (name: string, value: Partial<Extension>): Claim => ({ ...base, extension: [{ url: `${PAS}/extension-${name}`, ...value }] });
const item = (of: Partial<ClaimItem>): Claim => ({ ...base, item: [{ sequence: 1, productOrService: {}, ...of }] });
const action = (code: string) => ({ valueCodeableConcept: { coding: [{ code }] } });
const day = (name: string, valueDate: string): Claim => item({ extension: [{ url: `${PAS}/extension-itemCertification${name}`, valueDate }] });

/** PAS §5.8: each key of an inquiry. */
describe('an inquiry finds by', () => {
  it.each<[string, Claim, boolean]>([
    ['nothing: all of the member and provider', base, true],
    ["the root's authorization number", root('authorizationNumber', { valueString: 'PA1' }), true],
    ['another authorization number', root('authorizationNumber', { valueString: 'PA2' }), false],
    ["the root's reference number", root('administrationReferenceNumber', { valueString: 'RF1' }), true],
    ['another reference number', root('administrationReferenceNumber', { valueString: 'RF2' }), false],
    ['the review action', root('reviewActionCode', action('A4')), true],
    ['another review action', root('reviewActionCode', action('A3')), false],
    ['certification type cancel', root('certificationType', action('3')), false],
    ['certification type initial', root('certificationType', action('I')), true],
    ['the billable period', { ...base, billablePeriod: { start: '2026-11-01', end: '2026-12-31' } }, true],
    ['another billable period', { ...base, billablePeriod: { start: '2027-11-01', end: '2027-12-31' } }, false],
    ['a diagnosis, with or without its dot', { ...base, diagnosis: [{ sequence: 1, diagnosisCodeableConcept: { coding: [{ code: 'J449' }] } }] }, true],
    ['one of several diagnoses', { ...base, diagnosis: ['X', 'J44.9'].map((code, index) => ({ sequence: index + 1, diagnosisCodeableConcept: { coding: [{ code }] } })) }, true],
    ['another diagnosis', { ...base, diagnosis: [{ sequence: 1, diagnosisCodeableConcept: { coding: [{ code: 'M54.5' }] } }] }, false],
    ['the day of issue', day('IssueDate', '2026-11-22'), true],
    ['another day of issue', day('IssueDate', '2026-11-23'), false],
    ['the day it becomes effective', day('EffectiveDate', '2026-12-01'), true],
    ['the day it expires', day('ExpirationDate', '2027-05-30'), true],
    ['another day it expires', day('ExpirationDate', '2027-05-31'), false],
    ["an item's day of service", item({ servicedDate: '2026-12-01' }), true],
    ['another day of service', item({ servicedDate: '2026-12-02' }), false],
  ])('%s', (_name, inquiry, fits) => expect(fitsInquiry(inquiry, held)).toBe(fits));
});
