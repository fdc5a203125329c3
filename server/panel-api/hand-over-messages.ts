import type { Practitioner, PractitionerRole, Resource } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { Colleague } from '#prior-auth/panel-api.ts';
import type { EhrClient } from '../ehr/ehr-client.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

const MOST = 50;

/** People, roles and back offices of the practice whose name has all the words; the EHR is the directory. */
export function listColleagues(): PanelHandler<'listColleagues'> {
  return async ({ q }, { ehr, session: { user } }) => {
    const words = q.toLowerCase().split(/\s+/).filter(Boolean);
    const [practitioners, roles] = await Promise.all([
      ehr.search('Practitioner', { ...(words[0] ? { name: words[0] } : {}), _count: String(MOST) }),
      searchRoles(ehr),
    ]);
    // A person and that person's role are one colleague.
    const all = [...practitioners, ...roles.filter((role) => !isRoleOf(role, user.reference))].flatMap((resource) => colleaguesOf(resource, practitioners));
    const found = [...new Map(all.map((one) => [one.reference, one])).values()]
      .filter(({ reference, name, role }) => reference !== user.reference && words.every((word) => `${name} ${role ?? ''}`.toLowerCase().includes(word)))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
    return { colleagues: found.slice(0, MOST) };
  };
}

export function readHandOver({ handOvers }: PanelParts): PanelHandler<'readHandOver'> {
  return async (_request, call) => ({ handOver: await handOvers.read(call) });
}

export function handOver({ handOvers }: PanelParts): PanelHandler<'handOver'> {
  return async ({ to, note }, call) => {
    const [named] = colleaguesOf(await call.ehr.follow(to), []);
    if (!named) throw new PriorAuthError('REQUEST_INVALID', 'to: the EHR knows nobody by this reference.', { nextStep: 'Choose a colleague from the list.' });
    return { handOver: await handOvers.begin(call, { reference: named.reference, name: named.name }, note) };
  };
}

export function takeOver({ handOvers }: PanelParts): PanelHandler<'takeOver'> {
  return async (_request, call) => ({ handOver: await handOvers.take(call) });
}

export function cancelHandOver({ handOvers }: PanelParts): PanelHandler<'cancelHandOver'> {
  return async (_request, call) => ({ handOver: await handOvers.cancel(call) });
}

/** Many EHRs have no roles, or do not let an app search them. */
async function searchRoles(ehr: EhrClient): Promise<readonly Resource[]> {
  try {
    return await ehr.search('PractitionerRole', { _count: String(MOST) });
  } catch (error) {
    if (error instanceof PriorAuthError && error.code === 'EHR_REFUSED') return [];
    throw error;
  }
}

function colleaguesOf(resource: Resource | undefined, practitioners: readonly Resource[]): Colleague[] {
  switch (resource?.resourceType) {
    case 'Practitioner':
      return resource.active === false ? [] : [{ reference: `Practitioner/${resource.id}`, name: nameOf(resource) }];
    case 'Organization':
      return [{ reference: `Organization/${resource.id}`, name: resource.name ?? 'Organization without a name' }];
    case 'PractitionerRole':
      return resource.active === false ? [] : roleOf(resource, practitioners);
    default:
      return [];
  }
}

function isRoleOf(resource: Resource, user: string): boolean {
  return resource.resourceType === 'PractitionerRole' && relativeReference(resource.practitioner?.reference ?? '') === user;
}

function roleOf(role: PractitionerRole, practitioners: readonly Resource[]): Colleague[] {
  const reference = relativeReference(role.practitioner?.reference ?? '');
  const person = practitioners.find((one): one is Practitioner => one.resourceType === 'Practitioner' && `Practitioner/${one.id}` === reference);
  const [code] = role.code ?? [];
  const title = code?.text ?? code?.coding?.find(({ display }) => display)?.display ?? role.specialty?.[0]?.text;
  const name = role.practitioner?.display ?? title ?? 'Role without a name';
  const office = relativeReference(role.organization?.reference ?? '');
  return [
    person
      ? { reference: `Practitioner/${person.id}`, name: nameOf(person), ...(title ? { role: title } : {}) }
      : { reference: `PractitionerRole/${role.id}`, name, ...(title ? { role: title } : {}) },
    ...(office?.startsWith('Organization/') && role.organization?.display ? [{ reference: office, name: role.organization.display }] : []),
  ];
}

function nameOf({ name, id }: Practitioner): string {
  const written = name?.find(({ use }) => use === 'official') ?? name?.[0];
  return written?.text ?? ([...(written?.prefix ?? []), ...(written?.given ?? []), written?.family].filter(Boolean).join(' ') || `Practitioner/${id}`);
}
