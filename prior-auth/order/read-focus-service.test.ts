import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { neededReferences, readFocusService } from './read-focus-service.ts';

const concept = (code: string, system: string = CODE_SYSTEMS.cpt) => ({ coding: [{ system, code }] });
const resources: Readonly<Record<string, Resource>> = {
  'ServiceRequest/s1': { resourceType: 'ServiceRequest', id: 's1', status: 'active', intent: 'order', subject: {}, code: concept('75561'), priority: 'urgent' },
  'DeviceRequest/d1': { resourceType: 'DeviceRequest', id: 'd1', status: 'active', intent: 'order', subject: {}, codeReference: { reference: 'Device/x' } },
  'Device/x': { resourceType: 'Device', id: 'x', type: concept('E1390', CODE_SYSTEMS.hcpcs) },
};
const appointment = (more: object): Resource => ({ resourceType: 'Appointment', id: 'a1', status: 'proposed', participant: [], serviceType: [concept('124', 'x')], ...more });
const alternate = (reference: string) => ({ extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/alternate-reference', valueReference: { reference } }] });

describe('what is asked for', () => {
  it.each<[string, Resource, string, readonly string[], string]>([
    ['an appointment by its own type', appointment({}), 'Appointment/a1', ['124'], 'routine'],
    ['an appointment by its order, then its own type', appointment({ basedOn: [{ reference: 'https://ehr.example/fhir/ServiceRequest/s1' }] }), 'Appointment/a1', ['75561', '124'], 'urgent'],
    ['an appointment by an alternate reference', appointment({ basedOn: [alternate('DeviceRequest/d1')], serviceType: undefined }), 'Appointment/a1', ['E1390'], 'routine'],
    ['an appointment whose order is not known', appointment({ basedOn: [{ reference: 'ServiceRequest/gone' }] }), 'Appointment/a1', ['124'], 'routine'],
    ['an encounter by type and service type', { resourceType: 'Encounter', id: 'e1', status: 'planned', class: {}, type: [concept('99213')], serviceType: concept('1', 'y') }, 'Encounter/e1', ['99213', '1'], 'routine'],
    ['an order as ever', resources['ServiceRequest/s1'] as Resource, 'ServiceRequest/s1', ['75561'], 'urgent'],
    ...['[x]', '%5Bx%5D'].map((brackets): [string, Resource, string, readonly string[], string] => [
      `a communication by its payload (${brackets})`,
      { resourceType: 'CommunicationRequest', id: 'k1', status: 'draft', payload: [{ extension: [{ url: `http://hl7.org/fhir/5.0/StructureDefinition/extension-CommunicationRequest.payload.content${brackets}`, valueCodeableConcept: concept('93000') }] }] },
      'CommunicationRequest/k1', ['93000'], 'routine',
    ]),
  ])('%s', (_name, focus, order, codes, priority) => {
    const service = readFocusService(focus, (reference) => resources[reference]);
    expect([service?.order, service?.codings.map(({ code }) => code), service?.priority]).toEqual([order, codes, priority]);
  });
  it.each<[string, Resource]>([
    ['an encounter without codes', { resourceType: 'Encounter', id: 'e1', status: 'planned', class: {}, type: [{ text: 'visit' }] }],
    ['a communication without payload', { resourceType: 'CommunicationRequest', id: 'k1', status: 'draft' }],
    ['another resource', { resourceType: 'Patient', id: 'p1' }],
  ])('%s asks for nothing', (_name, focus) => {
    expect(readFocusService(focus)).toBeUndefined();
  });
});

describe('what has to be looked up first', () => {
  it.each<[string, Resource, readonly string[]]>([
    ['the device of a request', resources['DeviceRequest/d1'] as Resource, ['Device/x']],
    ['a contained drug: nothing', { resourceType: 'MedicationRequest', id: 'm1', status: 'draft', intent: 'order', subject: {}, medicationReference: { reference: '#m' } }, []],
    ['a drug by the urn of its entry', { resourceType: 'MedicationRequest', id: 'm1', status: 'draft', intent: 'order', subject: {}, medicationReference: { reference: 'urn:uuid:8a6f2c1e-0000-4000-8000-000000000000' } }, ['urn:uuid:8a6f2c1e-0000-4000-8000-000000000000']],
    ...['../../admin', 'Medication/../../admin', 'https://evil.example/x?y', ''].map((reference): [string, Resource, readonly string[]] => [`${reference}: nothing`, { resourceType: 'MedicationRequest', id: 'm1', status: 'draft', intent: 'order', subject: {}, medicationReference: { reference } }, []]),
    ['the orders of an appointment', appointment({ basedOn: [{ reference: 'ServiceRequest/s1' }, alternate('DeviceRequest/d1')] }), ['ServiceRequest/s1', 'DeviceRequest/d1']],
    ['an order with its code: nothing', resources['ServiceRequest/s1'] as Resource, []],
  ])('%s', (_name, focus, references) => {
    expect(neededReferences(focus)).toEqual(references);
  });
});
