import { randomUUID } from 'node:crypto';
import type { Bundle, Claim, Organization, Resource } from '@medplum/fhirtypes';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';

const NOBODY = 'OPEN-PRIOR-AUTH-CONNECTION-TEST';
const MEMBER = { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MB' }] }, system: 'https://openpriorauth.org/connection-test', value: NOBODY };
const X12_98 = 'https://codesystem.x12.org/005010/98';

/** A PAS inquiry, legal in both versions, about a member that does not exist: it tests the operation and tells the payer nothing about anybody. */
export function nobodyInquiry(payer: Payer, clinic: Organization, nowMs: number): Bundle {
  const created = new Date(nowMs).toISOString();
  const [claimUrl, patient, insurer, provider, coverage] = Array.from({ length: 5 }, () => `urn:uuid:${randomUUID()}`) as [string, string, string, string, string];
  const claim: Claim = {
    resourceType: 'Claim',
    meta: { profile: [PAS_PROFILES.claimInquiry] },
    identifier: [{ system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` }],
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'professional' }] },
    use: 'preauthorization',
    patient: { reference: patient },
    created,
    insurer: { reference: insurer },
    provider: { reference: provider },
    priority: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/processpriority', code: 'normal' }] },
    insurance: [{ sequence: 1, focal: true, coverage: { reference: coverage } }],
    // 2.0.1 wants an item; none is meant.
    item: [{ sequence: 1, productOrService: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/data-absent-reason', code: 'not-applicable' }] } }],
  };
  const entries: readonly (readonly [string, Resource])[] = [
    [claimUrl, claim],
    [patient, { resourceType: 'Patient', meta: { profile: [PAS_PROFILES.beneficiary] }, identifier: [MEMBER], name: [{ family: 'Nobody', given: ['Connection', 'Test'] }], gender: 'unknown', birthDate: '1900-01-01' }],
    [insurer, { resourceType: 'Organization', meta: { profile: [PAS_PROFILES.insurer] }, identifier: [...payer.organizationIdentifiers], active: true, name: payer.name, type: [{ coding: [{ system: X12_98, code: 'PR' }] }] }],
    [provider, requestor(clinic)],
    [coverage, { resourceType: 'Coverage', meta: { profile: [PAS_PROFILES.coverage] }, identifier: [MEMBER], status: 'active', subscriberId: NOBODY, beneficiary: { reference: patient }, relationship: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/subscriber-relationship', code: 'self' }, { system: 'https://codesystem.x12.org/005010/1069', code: '18' }] }, payor: [{ reference: insurer }] }],
  ];
  return {
    resourceType: 'Bundle',
    meta: { profile: [PAS_PROFILES.inquiryRequestBundle] },
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` },
    type: 'collection',
    timestamp: created,
    entry: entries.map(([fullUrl, resource]) => ({ fullUrl, resource })),
  };
}

function requestor({ identifier = [], name, address, telecom }: Organization): Organization {
  return {
    resourceType: 'Organization',
    meta: { profile: [PAS_PROFILES.requestor] },
    identifier: identifier.filter(({ system }) => system === 'http://hl7.org/fhir/sid/us-npi'),
    active: true,
    ...(name ? { name } : {}),
    type: [{ coding: [{ system: X12_98, code: '1P' }] }],
    ...(telecom ? { telecom } : {}),
    ...(address ? { address } : {}),
  };
}
