import type { Organization } from '@medplum/fhirtypes';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';

/** The payer as it knows itself, for what is sent to it; a clinic's own record of a payer often lacks the identifier. */
export function toPayerOrganization({ id, name, organizationIdentifiers }: Payer): Organization {
  return {
    resourceType: 'Organization',
    id,
    active: true,
    type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/organization-type', code: 'pay' }] }],
    name,
    identifier: organizationIdentifiers.map(({ system, value }) => ({ system, value })),
  };
}
