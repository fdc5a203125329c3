import type { DeviceRequest, MedicationRequest, ServiceRequest } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { canonicalCoding } from './canonical-coding.ts';
import { readRequestedService } from './read-requested-service.ts';

describe('one spelling for each billing code', () => {
  it.each([
    ['http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', 'E1390', CODE_SYSTEMS.hcpcs, 'E1390'],
    ['https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', ' e1390 ', CODE_SYSTEMS.hcpcs, 'E1390'],
    ['https://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets/', 'E1390', CODE_SYSTEMS.hcpcs, 'E1390'],
    ['urn:oid:2.16.840.1.113883.6.285', 'E1390', CODE_SYSTEMS.hcpcs, 'E1390'],
    ['https://bluebutton.cms.gov/resources/codesystem/hcpcs', 'G0180', CODE_SYSTEMS.hcpcs, 'G0180'],
    ['http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', '75561', CODE_SYSTEMS.cpt, '75561'],
    ['http://www.ama-assn.org/go/cpt', 'J0585', CODE_SYSTEMS.hcpcs, 'J0585'],
    ['http://snomed.info/sct', '40701008', CODE_SYSTEMS.snomed, '40701008'],
  ])('%s %s', (system, code, wantedSystem, wantedCode) => {
    expect(canonicalCoding({ system, code })).toEqual({ system: wantedSystem, code: wantedCode });
  });
  it('has none without a code', () => expect(canonicalCoding({ system: 'x', code: '  ' })).toBeUndefined());
});

describe('what an order asks for', () => {
  const device: DeviceRequest = { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'original-order', subject: { reference: 'Patient/1' }, codeCodeableConcept: { coding: [{ system: CODE_SYSTEMS.hcpcs, code: 'E0601', display: ' PAP device ' }] } };
  it('reads a rental of months from a parameter', () => {
    expect(readRequestedService({ ...device, parameter: [{ valueQuantity: { value: 13, unit: 'months' } }] })).toMatchObject({ order: 'DeviceRequest/d1', display: 'PAP device', quantity: { value: 13, unit: 'months' }, priority: 'routine' });
  });
  it('reads a device named by reference, contained or looked up', () => {
    const { codeCodeableConcept: type, ...rest } = device;
    expect(readRequestedService({ ...rest, codeReference: { reference: '#x' }, contained: [{ resourceType: 'Device', id: 'x', type: type ?? {} }] }).codings[0]?.code).toBe('E0601');
    expect(readRequestedService({ ...rest, codeReference: { reference: 'http://ehr/fhir/Device/7' } }, (reference) => (reference === 'Device/7' ? { type } : undefined)).codings[0]?.code).toBe('E0601');
  });
  it('reads reasons and urgency', () => {
    const order: ServiceRequest = { resourceType: 'ServiceRequest', id: 's', status: 'draft', intent: 'order', subject: {}, priority: 'urgent', code: { text: 'MRI' }, reasonCode: [{ coding: [{ system: 'http://hl7.org/fhir/sid/icd-10-cm', code: 'R07.9' }] }], reasonReference: [{ reference: 'http://ehr/fhir/Condition/9/_history/2' }] };
    expect(readRequestedService(order)).toMatchObject({ display: 'MRI', codings: [], priority: 'urgent', reasonCodes: [{ code: 'R07.9' }], reasonReferences: ['Condition/9'] });
  });
  it('reads a medication without any code', () => {
    const order: MedicationRequest = { resourceType: 'MedicationRequest', id: 'm', status: 'draft', intent: 'order', subject: {}, medicationReference: { reference: 'Medication/none', display: 'Some drug' } };
    expect(readRequestedService(order)).toMatchObject({ display: 'Some drug', codings: [] });
  });
  it.each([[{ resourceType: 'Patient', id: 'x' }], [{ resourceType: 'ServiceRequest' }]])('refuses %j with ORDER_UNREADABLE', (resource) => {
    expect(() => readRequestedService(resource as ServiceRequest)).toThrow(expect.objectContaining({ code: 'ORDER_UNREADABLE' }));
  });
});
