import type { Patient, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { readRequestedService } from '../order/read-requested-service.ts';
import type { Order } from '../order/requested-service.ts';
import { calendarDay } from './calendar-day.ts';
import { toDenialRiskFacts } from './denial-risk-facts.ts';
import { type Determination, determine } from './determine.ts';
import { emissionFaults } from './emission-rules.ts';
import { MOST_OF_A_KIND, readChart } from './evidence.ts';
import type { Policy } from './policy.ts';
import { createPolicyLibrary } from './policy-library.ts';

const papRevision: Policy['revisions'][number] = {
  revision: '1', effectiveFrom: '2020-01-01', source: { title: 's', url: 'https://example.org' }, services: [{ system: CODE_SYSTEMS.hcpcs, codes: ['E0601'] }, { system: CODE_SYSTEMS.hcpcs, codes: ['E0470'], states: ['NY'] }],
  covered: 'covered', authorization: 'auth-needed', documentation: 'clinical', questionnaires: ['https://payer.example/q|1'], instructions: null,
  criteria: [{ id: 'osa', label: 'Sleep apnea', evidence: [{ type: 'Condition', codes: ['G47.33'] }], record: '%evidence.exists()', submission: 'true' }],
  decision: { route: 'limit', denial: 'no', limit: { max: 3, unit: 'months' } },
};
const pap: Policy = { id: 'pap', title: 'PAP', family: 'dme-sleep', payers: ['*'], revisions: [papRevision] };
const excluded: Policy = { ...pap, id: 'own', payers: ['p1'], revisions: [{ ...papRevision, services: [{ system: CODE_SYSTEMS.hcpcs, codes: ['E0471'] }], covered: 'not-covered', questionnaires: [], documentation: null }] };
const library = createPolicyLibrary([pap, excluded], { covered: 'covered', authorization: 'no-auth' });
const order = (code: string | undefined, more: object = {}): Order => ({ resourceType: 'DeviceRequest', id: 'd', status: 'draft', intent: 'order', subject: {}, ...(code ? { codeCodeableConcept: { coding: [{ system: CODE_SYSTEMS.hcpcs, code }] } } : {}), ...more });
const patient: Patient = { resourceType: 'Patient', id: 'p', birthDate: '1950-11-23', address: [{ state: 'CA' }] };
const osa = { resourceType: 'Condition', id: 'c', subject: {}, code: { coding: [{ code: 'G47.33' }] }, recordedDate: '2026-11-12' } as Resource;

const ask = (of: Order, more: Partial<Parameters<typeof determine>[1]> = {}): Determination =>
  determine(library, { order: of, service: readRequestedService(of), coverage: 'Coverage/1', payer: { id: 'p1' }, patient, chart: () => readChart([osa]), today: '2026-11-22', assertionId: 'a', ...more });

describe('determine', () => {
  it.each<[string, Determination, object]>([
    ['a policy names it', ask(order('E0601')), { covered: 'covered', paNeeded: 'auth-needed', docNeeded: 'clinical', docPurpose: ['withpa'], policy: { policyId: 'pap', revision: '1' } }],
    ['no policy names it: the library default', ask(order('E9999')), { covered: 'covered', paNeeded: 'no-auth', reasons: ['No policy of this payer names this service.'] }],
    ['before the policy holds', ask(order('E0601'), { today: '2019-12-31' }), { paNeeded: 'no-auth' }],
    ['not covered has no pa-needed', ask(order('E0471')), { covered: 'not-covered', docPurpose: [] }],
    ['a policy of another payer', ask(order('E0471'), { payer: { id: 'p2' } }), { covered: 'covered', paNeeded: 'no-auth' }],
    ['an unknown payer', ask(order('E0601'), { payer: undefined }), { covered: 'conditional', paNeeded: 'conditional', infoNeeded: ['OTH'] }],
    ['an order without code', ask(order(undefined)), { covered: 'conditional', infoNeeded: ['OTH'] }],
    ['not to be performed', ask(order('E0601', { doNotPerform: true })), { paNeeded: 'no-auth' }],
    ['another state', ask(order('E0470')), { paNeeded: 'no-auth' }],
    ['the state', ask(order('E0470'), { patient: { ...patient, address: [{ state: ' ny ' }] } }), { paNeeded: 'auth-needed' }],
    ['the state is not known', ask(order('E0470'), { patient: undefined }), { covered: 'conditional', infoNeeded: ['location'] }],
    ['the code it rests on and the limit are named', ask(order('e0601 ')), { billingCodes: [{ system: CODE_SYSTEMS.hcpcs, code: 'E0601' }], details: [{ code: 'allowed-quantity', value: { value: 3, unit: 'months' }, category: 'limitation' }] }],
    ['the payer’s contact is named', ask(order('E9999'), { payer: { id: 'p1', contact: { telecom: [{ system: 'phone', value: '1' }] } } }), { contacts: [{ telecom: [{ system: 'phone', value: '1' }] }] }],
    ['a coverage under which nothing can be determined', ask(order('E0601'), { coverageFault: { cause: 'no-active-coverage', reason: 'ended' } }), { covered: 'conditional', paNeeded: 'conditional', infoNeeded: ['OTH'], reasons: ['ended'], cause: 'no-active-coverage' }],
    ['a kind of order that asks for nothing', ask(order('E0601'), { service: undefined }), { paNeeded: 'no-auth' }],
  ])('%s', (_name, determination, wanted) => {
    expect(determination.requirement).toMatchObject(wanted);
    expect(emissionFaults([determination.requirement])).toEqual([]);
  });
  it('says when the record holds more than was looked at', () => {
    const chart = (count: number) => () => readChart(Array.from({ length: count }, (_, i) => ({ ...osa, id: `c${i}` })));
    const reasons = (count: number) => ask(order('E0601'), { chart: chart(count) }).requirement.reasons.join(' ');
    expect(reasons(MOST_OF_A_KIND)).not.toMatch(/only the newest/);
    expect(reasons(MOST_OF_A_KIND + 1)).toMatch(/more than 500 entries .* only the newest/);
  });
  it('reads the chart only when criteria apply', () => {
    const chart = () => {
      throw new Error('read');
    };
    expect(() => ask(order('E9999'), { chart })).not.toThrow();
    expect(() => ask(order('E0601'), { chart })).toThrow('read');
  });
});

describe('facts for the denial-risk model', () => {
  it('are taken from order, record and policy', () => {
    const of = order('E0601', { priority: 'urgent', requester: { reference: 'Practitioner/1' }, reasonReference: [{ reference: 'Condition/c' }], parameter: [{ valueQuantity: { value: 13, unit: 'mo' } }] });
    expect(toDenialRiskFacts(ask(of), readRequestedService(of), patient, '2026-11-22')).toEqual({
      payerId: 'p1', policyId: 'pap', serviceFamily: 'dme-sleep', criteriaMet: 1, criteriaNotMet: 0, criteriaUnknown: 0, urgent: true, patientAgeYears: 75, newestEvidenceAgeDays: 10,
      hasReasonCode: true, quantityToLimitRatio: 13 / 3, paNeeded: true, requesterKnown: true,
      procedure: 'hcpcs:E0601', requesterSpecialty: null, evidenceCount: 1, reasonCodeCount: 0, renewal: null, askedAgain: null,
    });
  });
  it('guess nothing', () => {
    const of = order('E0601', { parameter: [{ valueQuantity: { value: 13, unit: 'kg' } }] });
    expect(toDenialRiskFacts(ask(of, { chart: () => readChart([]) }), readRequestedService(of), { resourceType: 'Patient', birthDate: '1950' }, '2026-11-22')).toMatchObject({
      criteriaUnknown: 1, patientAgeYears: null, newestEvidenceAgeDays: null, quantityToLimitRatio: null, requesterKnown: false, hasReasonCode: false,
    });
  });
});

describe('the calendar day of the payer', () => {
  const instant = Date.parse('2026-11-22T07:30:00Z');
  it.each([['America/Los_Angeles', '2026-11-21'], ['UTC', '2026-11-22'], ['Pacific/Auckland', '2026-11-22'], ['Pacific/Kiritimati', '2026-11-22']])('%s: %s', (zone, day) => expect(calendarDay(instant, zone)).toBe(day));
  it('turns at midnight there', () => {
    expect(calendarDay(Date.parse('2026-11-22T07:59:59Z'), 'America/Los_Angeles')).toBe('2026-11-21');
    expect(calendarDay(Date.parse('2026-11-22T08:00:00Z'), 'America/Los_Angeles')).toBe('2026-11-22');
  });
});
