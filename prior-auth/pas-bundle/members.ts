import type { Address, ContactPoint, Coverage, HumanName, Identifier, Patient, RelatedPerson } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { fullDate } from './full-date.ts';
import { hasType, usableIdentifiers } from './identifiers.ts';
import type { SubmissionInput, SubmissionProblem } from './submission-input.ts';

export type Written<T> = { readonly kind: 'written'; readonly resource: T } | { readonly kind: 'problem'; readonly problem: SubmissionProblem };

const MEMBER_TYPE = { coding: [{ system: CODE_SYSTEMS.identifierType, code: 'MB' }] };

/** The member number: the Coverage's identifier of type MB, its subscriberId, any identifier of it, or the Patient's identifier of type MB. */
export function memberIdentifier({ coverage, patient, case: { payer } }: Pick<SubmissionInput, 'coverage' | 'patient' | 'case'>): Identifier | undefined {
  const ofCoverage = usableIdentifiers(coverage.identifier);
  const typed = ofCoverage.find((identifier) => hasType(identifier, 'MB'));
  const subscriberId = coverage.subscriberId?.trim();
  const numbered = subscriberId ? { system: `https://openpriorauth.org/payer/${payer.id}/member-id`, value: subscriberId } : undefined;
  const found = typed ?? numbered ?? ofCoverage[0] ?? usableIdentifiers(patient.identifier).find((identifier) => hasType(identifier, 'MB'));
  return found && { type: MEMBER_TYPE, system: found.system ?? '', value: found.value ?? '' };
}

/** profile-beneficiary and profile-subscriber 2.0.1: what the payer needs to find the member, no more of the record. */
export function writePerson(person: Patient | RelatedPerson, profile: 'beneficiary' | 'subscriber', member: Identifier): Written<Patient> {
  const names = (person.name ?? []).flatMap(writeName);
  if (names.length === 0) {
    return problem('PATIENT_NAME_MISSING', `The ${profile} has neither a family nor a given name.`, 'Complete the name in the patient record.');
  }
  const recordNumbers = usableIdentifiers(person.identifier).filter((identifier) => hasType(identifier, 'MR'));
  const birthDate = fullDate(person.birthDate);
  const multipleBirth = 'multipleBirthInteger' in person && profile === 'beneficiary' ? person.multipleBirthInteger : undefined;
  return written({
    resourceType: 'Patient',
    meta: { profile: [PAS_PROFILES[profile]] },
    identifier: [member, ...(profile === 'beneficiary' ? recordNumbers : [])],
    name: names,
    gender: person.gender ?? 'unknown',
    ...(birthDate === undefined ? {} : { birthDate }),
    telecom: writeTelecom(person.telecom).slice(0, 2),
    address: (person.address ?? []).slice(0, 1).map((address) => writeAddress(address)),
    ...(multipleBirth === undefined ? {} : { multipleBirthInteger: multipleBirth }),
  });
}

/** profile-coverage 2.0.1. `subscriber` is a urn when another person than the patient holds the insurance. */
export function writeCoverage(input: SubmissionInput, member: Identifier, urns: { readonly patient: string; readonly insurer: string; readonly subscriber?: string | undefined }): Written<Coverage> {
  const { coverage } = input;
  if (coverage.status !== 'active') {
    return problem('COVERAGE_NOT_ACTIVE', 'The coverage of this order is not active.', 'Choose the active coverage in the EHR, or correct its status.');
  }
  const relationshipCodes = coverage.relationship?.coding?.filter((coding) => coding.system && coding.code) ?? [];
  const isSelf = relationshipCodes.some(({ code }) => code?.trim() === 'self' || code?.trim() === '18') || (relationshipCodes.length === 0 && urns.subscriber === undefined);
  const relationship = isSelf
    ? [
        { system: CODE_SYSTEMS.subscriberRelationship, code: 'self' },
        { system: CODE_SYSTEMS.x12Relationship, code: '18' },
      ]
    : relationshipCodes.map(({ system, code }) => ({ system: system ?? '', code: code ?? '' }));
  return written({
    resourceType: 'Coverage',
    meta: { profile: [PAS_PROFILES.coverage] },
    identifier: [member],
    status: 'active',
    ...(coverage.type ? { type: coverage.type } : {}),
    ...(urns.subscriber !== undefined && !isSelf ? { subscriber: { reference: urns.subscriber } } : {}),
    subscriberId: coverage.subscriberId?.trim() || member.value || '',
    beneficiary: { reference: urns.patient },
    ...(relationship.length > 0 ? { relationship: { coding: relationship } } : {}),
    ...(coverage.period && fullDate(coverage.period.start) ? { period: coverage.period } : {}),
    payor: [{ reference: urns.insurer }],
    ...(coverage.class ? { class: coverage.class.filter((entry) => entry.type && entry.value) } : {}),
  });
}

function writeName(name: HumanName): HumanName[] {
  const given = (name.given ?? []).map((part) => part?.trim()).filter(Boolean);
  const words = name.text?.trim().split(/\s+/) ?? [];
  const family = name.family?.trim() || (given.length === 0 ? words.at(-1) : undefined);
  const givenNames = given.length > 0 ? given : name.family ? [] : words.slice(0, -1);
  if (!family && givenNames.length === 0) return [];
  return [
    {
      ...(name.use ? { use: name.use } : {}),
      ...(family ? { family } : {}),
      ...(givenNames.length > 0 ? { given: givenNames } : {}),
      ...(name.prefix ? { prefix: name.prefix } : {}),
      ...(name.suffix ? { suffix: name.suffix } : {}),
    },
  ];
}

/** Numbers and addresses in use; `home` is dropped where an organization must not have it (org-3). */
export function writeTelecom(telecom: readonly ContactPoint[] | undefined, mayBeHome = true): ContactPoint[] {
  return (telecom ?? []).flatMap(({ system, value, use }) => {
    if (!system || !value?.trim() || use === 'old') return [];
    return [{ system, value: value.trim(), ...(use && (mayBeHome || use !== 'home') ? { use } : {}) }];
  });
}

export function writeAddress({ use, line, city, district, state, postalCode, country }: Address, mayBeHome = true): Address {
  return {
    ...(use && (mayBeHome || use !== 'home') ? { use } : {}),
    ...(line ? { line: line.slice(0, 4) } : {}),
    ...(city ? { city } : {}),
    ...(district ? { district } : {}),
    ...(state ? { state } : {}),
    ...(postalCode ? { postalCode } : {}),
    ...(country ? { country } : {}),
  };
}

export function written<T>(resource: T): Written<T> {
  return { kind: 'written', resource };
}

export function problem(code: string, message: string, nextStep: string): { readonly kind: 'problem'; readonly problem: SubmissionProblem } {
  return { kind: 'problem', problem: { code, message, nextStep } };
}
