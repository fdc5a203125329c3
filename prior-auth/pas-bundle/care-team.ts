import type { Organization, Practitioner, PractitionerRole, Resource } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import type { Order } from '../order/requested-service.ts';
import type { BundleContents } from './bundle-contents.ts';
import type { PasDialect } from './pas-dialect.ts';
import { writeLocation, writeOrganization, writePractitioner, writePractitionerRole } from './providers.ts';
import { locationOf } from './setting.ts';

/** Those whom orders name beside the one who asks: performers, the target of a referral, the facility. */
export interface NamedProviders {
  /** Urns of Organizations and PractitionerRoles, of the nth order each. */
  readonly ofOrders: readonly (readonly string[])[];
  /** Urn of the Location. */
  readonly facility?: string;
  /** Names of providers and places that the record does not describe well enough to be sent. */
  readonly notSent: readonly string[];
}

interface CareTeamLinks {
  readonly contents: BundleContents;
  readonly dialect: PasDialect;
  /** Urns of the clinician who asks. */
  readonly clinician?: { readonly practitioner: string; readonly role: string } | undefined;
}

/** Adds what the profiles need of them to the bundle: a Practitioner goes with a role (a bare one may not be in a care team). */
export function writeNamedProviders(orders: readonly Order[], supporting: readonly Resource[], { contents, dialect, clinician }: CareTeamLinks): NamedProviders {
  const available: ReadonlyMap<string, Resource> = new Map(supporting.flatMap((resource) => (resource.id ? [[`${resource.resourceType}/${resource.id}`, resource] as const] : [])));
  const find = (reference: string | undefined): Resource | undefined => available.get(relativeReference(reference?.trim() ?? '') ?? '');
  const roles = new Map<string, string>();
  const notSent = new Set<string>();

  const addOrganization = (organization: Organization): string | undefined => {
    const name = `Organization/${organization.id}`;
    const known = contents.urnOf(name);
    const copy = known ? undefined : writeOrganization(organization, dialect);
    if (!copy) return known;
    const urn = contents.reserve(name);
    contents.add(urn, copy);
    return urn;
  };
  const addRole = (practitioner: Practitioner, role: PractitionerRole | undefined): string | undefined => {
    const name = role ? `PractitionerRole/${role.id}` : `Practitioner/${practitioner.id}`;
    const sent = contents.urnOf(`Practitioner/${practitioner.id}`);
    const known = roles.get(name) ?? (clinician && sent === clinician.practitioner ? clinician.role : undefined);
    if (known) return known;
    const outcome = writePractitioner(practitioner, dialect);
    if (outcome.kind === 'problem') return undefined;
    const employer = find(role?.organization?.reference);
    const written = writePractitionerRole(role, { practitioner: '', organization: employer?.resourceType === 'Organization' ? addOrganization(employer) : undefined }, [outcome.resource.telecom, employer?.resourceType === 'Organization' ? employer.telecom : undefined]);
    if (dialect.reachesRoles && (written.telecom ?? []).length === 0) return undefined;
    const urn = contents.reserve(role ? name : undefined);
    const practitionerUrn = sent ?? contents.reserve(`Practitioner/${practitioner.id}`);
    contents.add(urn, { ...written, practitioner: { reference: practitionerUrn } });
    if (!sent) contents.add(practitionerUrn, outcome.resource);
    roles.set(name, urn);
    return urn;
  };
  const add = (reference: { readonly reference?: string; readonly display?: string }): string[] => {
    const named = find(reference.reference);
    const practitioner = named?.resourceType === 'PractitionerRole' ? find(named.practitioner?.reference) : named;
    const isProvider = /(^|\/)(Organization|Practitioner|PractitionerRole)\//.test(reference.reference ?? '');
    const urn =
      (named?.resourceType === 'PractitionerRole' ? contents.urnOf(`PractitionerRole/${named.id}`) : undefined) ??
      (named?.resourceType === 'Organization' ? addOrganization(named) : practitioner?.resourceType === 'Practitioner' ? addRole(practitioner, named?.resourceType === 'PractitionerRole' ? named : undefined) : undefined);
    if (urn === undefined && isProvider) notSent.add(reference.display ?? nameOf(named) ?? nameOf(practitioner) ?? reference.reference ?? '');
    return urn === undefined ? [] : [urn];
  };

  const ofOrders = orders.map((order) => {
    const managing = locationOf(order, supporting)?.managingOrganization;
    return [...new Set([...performersOf(order), ...(managing ? [managing] : [])].flatMap(add))];
  });
  const location = orders.map((order) => locationOf(order, supporting)).find((each) => each !== undefined);
  const copy = location && writeLocation(location);
  if (!location) return { ofOrders, notSent: [...notSent] };
  if (!copy) return { ofOrders, notSent: [...notSent, location.name ?? `Location/${location.id}`] };
  const facility = contents.reserve(`Location/${location.id}`);
  contents.add(facility, copy);
  return { ofOrders, facility, notSent: [...notSent] };
}

function performersOf(order: Order): readonly { readonly reference?: string; readonly display?: string }[] {
  switch (order.resourceType) {
    case 'ServiceRequest':
      return order.performer ?? [];
    case 'DeviceRequest':
      return order.performer ? [order.performer] : [];
    case 'MedicationRequest':
      return [order.performer, order.dispenseRequest?.performer].flatMap((reference) => reference ?? []);
    default:
      return [];
  }
}

function nameOf(resource: Resource | undefined): string | undefined {
  if (resource?.resourceType === 'Organization') return resource.name;
  if (resource?.resourceType !== 'Practitioner') return undefined;
  const [name] = resource.name ?? [];
  return name?.text ?? ([...(name?.given ?? []), name?.family].filter(Boolean).join(' ') || undefined);
}
