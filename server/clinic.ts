import type { Organization } from '@medplum/fhirtypes';

/** Stands in for the submitting clinic where an order does not name one and none is configured: the sandbox EHR's, which is synthetic. */
export const DEMONSTRATION_CLINIC: Organization = {
  resourceType: 'Organization',
  id: 'clinic',
  active: true,
  type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'prov' }] }],
  name: 'Rainier Valley Clinic (synthetic)',
  identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1664000100' }],
  telecom: [{ system: 'phone', value: '206-555-0100', use: 'work' }],
  address: [{ line: ['100 Harbor Way'], city: 'Seattle', state: 'WA', postalCode: '98101', country: 'US' }],
};
