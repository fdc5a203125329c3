import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { openValidator } from '#fhir/validation/validator.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { determine } from '#prior-auth/coverage-requirement/determine.ts';
import { readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import { isOrder, readRequestedService } from '#prior-auth/order/read-requested-service.ts';
import { coverageAction } from './coverage-action.ts';
import { ANSWER_WRITERS } from './versions/answer-writers.ts';

const validator = openValidator(['crd-2.0.1']);
const library = loadPolicies();
const same = { status: 'draft', intent: 'order', subject: { reference: 'Patient/p1' }, authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' } };
const hcpcs = (code: string) => ({ coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code }] });
const device = (code: string) => ({ resourceType: 'DeviceRequest', id: 'd1', ...same, codeCodeableConcept: hcpcs(code) }) as Resource;
const service = (code: string) => ({ resourceType: 'ServiceRequest', id: 's1', ...same, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code }] } }) as Resource;

/** Kit: crd_coverage_info_system_action_validation. */
describe('an answered order conforms to its CRD 2.0.1 profile', () => {
  it.each<[string, Resource, string, string | undefined]>([
    ['authorization needed', device('E1390'), CRD_URLS.deviceRequest, 'cascade-medicare'],
    ['with a limit', device('E0601'), CRD_URLS.deviceRequest, 'cascade-medicare'],
    ['nothing needed', service('93000'), CRD_URLS.serviceRequest, 'cascade-medicare'],
    ['no policy', service('99213'), CRD_URLS.serviceRequest, 'cascade-medicare'],
    ['payer unknown: conditional', service('75561'), CRD_URLS.serviceRequest, undefined],
    ['a drug', { resourceType: 'MedicationRequest', id: 'm1', ...same, medicationCodeableConcept: hcpcs('J0585') } as Resource, CRD_URLS.medicationRequest, 'cascade-medicare'],
  ])('%s', (_name, order, profile, payerId) => {
    const { requirement } = determine(library, {
      order, service: isOrder(order) ? readRequestedService(order) : undefined, coverage: 'Coverage/c1', payer: payerId ? { id: payerId } : undefined, patient: undefined,
      chart: () => readChart([]), today: '2026-11-22', assertionId: '4f2c',
    });
    const resource = coverageAction(order, requirement, ANSWER_WRITERS['2.0'])?.resource;
    expect(validator.validate(resource, { profile }).issues.filter((issue) => issue.severity === 'error')).toEqual([]);
  });
});
