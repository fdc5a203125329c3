import type { ContactPoint, Location, Organization, Practitioner, PractitionerRole } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { providerIdentifiers, usableIdentifiers } from './identifiers.ts';
import { problem, writeAddress, writeTelecom, written, type Written } from './members.ts';
import type { PasDialect } from './pas-dialect.ts';
import type { SubmissionInput } from './submission-input.ts';

/** profile-insurer 2.0.1, from the configured payer: the Organization that the EHR keeps is often no more than a name. */
export function writeInsurer({ payerOrganization, case: { payer } }: SubmissionInput): Organization {
  const identifiers = usableIdentifiers(payerOrganization.identifier);
  return {
    ...organizationFacts(payerOrganization, payer.name),
    meta: { profile: [PAS_PROFILES.insurer] },
    identifier: identifiers.length > 0 ? identifiers : [{ system: 'https://openpriorauth.org/payer-id', value: payer.id }],
    type: [{ coding: [{ system: CODE_SYSTEMS.x12Entity, code: 'PR' }] }],
  };
}

/** profile-requestor 2.0.1: the clinician's organization when the record knows its NPI or TIN, else the configured clinic. */
export function writeRequestor({ organization, clinic }: SubmissionInput, dialect: PasDialect): Written<Organization> {
  const isNational = (candidate: Organization | undefined): boolean =>
    providerIdentifiers(candidate?.identifier, dialect).some(({ system }) => system === CODE_SYSTEMS.npi || system === CODE_SYSTEMS.tin);
  const chosen = organization && isNational(organization) ? organization : clinic;
  const identifier = providerIdentifiers(chosen.identifier, dialect);
  if (identifier.length === 0) {
    return problem('CLINIC_IDENTIFIER_MISSING', 'Neither the record nor the configuration gives the clinic an NPI.', "Add the clinic's NPI to the configuration.");
  }
  return written({
    ...organizationFacts(chosen, clinic.name ?? 'Clinic'),
    meta: { profile: [PAS_PROFILES.requestor] },
    identifier,
    type: [{ coding: [{ system: CODE_SYSTEMS.x12Entity, code: '1P' }] }],
  });
}

/** profile-organization: another organization that the order names. Undefined without a number that the payer could know it by. */
export function writeOrganization(organization: Organization, dialect: PasDialect): Organization | undefined {
  const identifier = providerIdentifiers(organization.identifier, dialect);
  const name = organization.name?.trim();
  return identifier.length > 0 && name ? { ...organizationFacts(organization, name), meta: { profile: [PAS_PROFILES.organization] }, identifier } : undefined;
}

/** profile-location. Undefined without the name and address that it demands. */
export function writeLocation({ name, address, telecom }: Location): Location | undefined {
  const written = address && writeAddress(address, false);
  if (!name?.trim() || !written || Object.keys(written).length === 0) return undefined;
  return { resourceType: 'Location', meta: { profile: [PAS_PROFILES.location] }, status: 'active', name: name.trim(), telecom: writeTelecom(telecom, false), address: written };
}

function organizationFacts(organization: Organization, nameIfMissing: string): Organization {
  return {
    resourceType: 'Organization',
    active: organization.active ?? true,
    name: organization.name?.trim() || nameIfMissing,
    telecom: writeTelecom(organization.telecom, false),
    address: (organization.address ?? []).slice(0, 1).map((address) => writeAddress(address, false)),
  };
}

/** profile-practitioner 2.0.1. */
export function writePractitioner(practitioner: Practitioner, dialect: PasDialect): Written<Practitioner> {
  const identifier = providerIdentifiers(practitioner.identifier, dialect);
  if (identifier.length === 0) {
    return problem('CLINICIAN_IDENTIFIER_MISSING', 'The ordering clinician has no usable identifier (an NPI has ten digits, the last of which checks the others).', "Add the clinician's NPI in the EHR.");
  }
  const name = practitioner.name?.find((candidate) => candidate.family?.trim() || candidate.text?.trim());
  const family = name?.family?.trim() || name?.text?.trim().split(/\s+/).at(-1);
  if (!family) return problem('CLINICIAN_NAME_MISSING', 'The ordering clinician has no family name.', "Complete the clinician's name in the EHR.");
  return written({
    resourceType: 'Practitioner',
    meta: { profile: [PAS_PROFILES.practitioner] },
    identifier,
    name: [{ family, ...(name?.given ? { given: name.given } : {}), ...(name?.prefix ? { prefix: name.prefix } : {}), ...(name?.suffix ? { suffix: name.suffix } : {}) }],
    telecom: writeTelecom(practitioner.telecom).filter(({ use }) => use !== 'home'),
  });
}

/** profile-practitionerrole 2.0.1; made from the Practitioner and the clinic when the record has none. */
export function writePractitionerRole(role: PractitionerRole | undefined, urns: { readonly practitioner: string; readonly organization?: string | undefined }, reachedAt: readonly (readonly ContactPoint[] | undefined)[]): PractitionerRole {
  return {
    resourceType: 'PractitionerRole',
    meta: { profile: [PAS_PROFILES.practitionerRole] },
    active: role?.active ?? true,
    practitioner: { reference: urns.practitioner },
    ...(urns.organization ? { organization: { reference: urns.organization } } : {}),
    ...(role?.code ? { code: role.code } : {}),
    ...(role?.specialty ? { specialty: role.specialty } : {}),
    // US Core's pd-1: a role must be reachable; by the clinician's or the clinic's number where it has none of its own.
    telecom: [role?.telecom, ...reachedAt].map((telecom) => writeTelecom(telecom).filter(({ use }) => use !== 'home')).find((telecom) => telecom.length > 0) ?? [],
  };
}
