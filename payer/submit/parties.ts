import type { Bundle, Identifier, Reference, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { IdentifierKind } from '../database.ts';
import { PAYER_ID_SYSTEM } from '../terms.ts';
import { closureOf, entryOf } from './bundle-references.ts';
import type { PasRequest } from './read-request.ts';

export interface PartyIdentifier {
  readonly kind: IdentifierKind;
  /** Empty when the sender gave none. */
  readonly system: string;
  readonly value: string;
}

/** Who a request is about and from, as identifiers: what an inquiry must know before anything is released. */
export function partiesOf({ bundle, claim, claimUrl }: PasRequest): readonly PartyIdentifier[] {
  const resourceAt = (reference: Reference | undefined) => entryOf(bundle, reference?.reference, claimUrl)?.resource;
  const coverages = (claim.insurance ?? []).map(({ coverage }) => resourceAt(coverage));
  const requestor = withRole(bundle, claimUrl, claim.provider);
  const providers = [...requestor, ...(claim.careTeam ?? []).flatMap(({ provider }) => withRole(bundle, claimUrl, provider))];
  const parties = [
    ...memberIdentifiers(identifiersOf(resourceAt(claim.patient))),
    ...coverages.flatMap((coverage) => [
      ...identifiersOf(coverage).filter(isMember),
      ...(coverage?.resourceType === 'Coverage' && coverage.subscriberId ? [{ value: coverage.subscriberId }] : []),
    ]).map((identifier) => toParty('member', identifier)),
    ...providers.flatMap(identifiersOf).filter(({ system }) => system === CODE_SYSTEMS.npi).map((identifier) => toParty('npi', identifier)),
    ...requestor.flatMap(identifiersOf).map((identifier) => toParty('requestor', identifier)),
  ].filter(({ value }) => value !== '');
  // A subscriber id that also stands there with its system is that number, and is not to match in another system.
  const precise = parties.filter((party) => party.system !== '' || !parties.some((other) => other.kind === party.kind && other.value === party.value && other.system !== ''));
  return [...new Map(precise.map((party) => [JSON.stringify(party), party])).values()];
}

/** Which of the payers at this address the insurer is; undefined when it says none of theirs. */
export function payerIdOf({ bundle, claim, claimUrl }: PasRequest): string | undefined {
  const insurer = entryOf(bundle, claim.insurer?.reference, claimUrl)?.resource;
  return identifiersOf(insurer).find(({ system }) => system === PAYER_ID_SYSTEM)?.value;
}

/** A provider together with the practitioner and organization that a PractitionerRole joins. */
function withRole(bundle: Bundle, claimUrl: string, provider: Reference | undefined): readonly Resource[] {
  const entry = entryOf(bundle, provider?.reference, claimUrl);
  if (entry?.resource?.resourceType !== 'PractitionerRole') return entry?.resource ? [entry.resource] : [];
  const { practitioner, organization } = entry.resource;
  return closureOf(bundle, [entry]).flatMap(({ resource, fullUrl }) =>
    resource && [practitioner, organization].some((reference) => entryOf(bundle, reference?.reference, entry.fullUrl)?.fullUrl === fullUrl) ? [resource] : [],
  );
}

function identifiersOf(resource: Resource | undefined): readonly Identifier[] {
  if (!resource || !('identifier' in resource) || !resource.identifier) return [];
  return Array.isArray(resource.identifier) ? resource.identifier : [resource.identifier];
}

/** The member numbers of a patient; where none is marked as such, the patient's identifiers that have a system. */
function memberIdentifiers(identifiers: readonly Identifier[]): readonly PartyIdentifier[] {
  const marked = identifiers.filter(isMember);
  return (marked.length > 0 ? marked : identifiers.filter(({ system }) => system)).map((identifier) => toParty('member', identifier));
}

function isMember({ type }: Identifier): boolean {
  return type?.coding?.some(({ system, code }) => system === CODE_SYSTEMS.identifierType && code === 'MB') ?? false;
}

function toParty(kind: IdentifierKind, { system, value }: Identifier): PartyIdentifier {
  return { kind, system: system ?? '', value: value ?? '' };
}
