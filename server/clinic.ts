import type { Organization } from '@medplum/fhirtypes';

/** Stands in for the submitting clinic where none is configured. Synthetic; the NPI is the test number of the NPI standard's check-digit example. */
export const DEMONSTRATION_CLINIC: Organization = {
  resourceType: 'Organization',
  id: 'clinic',
  active: true,
  type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'prov' }] }],
  name: 'Harbor Street Clinic (synthetic)',
  identifier: [{ system: 'http://hl7.org/fhir/sid/us-npi', value: '1234567893' }],
  telecom: [{ system: 'phone', value: '555-0100', use: 'work' }],
  address: [{ line: ['100 Harbor Street'], city: 'Springfield', state: 'WA', postalCode: '98000', country: 'US' }],
};
