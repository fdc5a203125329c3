import type { Bundle, Coverage, Extension, Patient, Resource } from '@medplum/fhirtypes';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { namedCoverages } from '../coverage-choice.ts';
import { resourcesOf } from '../ehr-reader.ts';
import type { CrdVersion, HookCall } from '../hook-call.ts';
import type { AskedFocus } from './asked-focus.ts';

/** What goes on to one payer: the resources under its coverage, and of the record what its service asks for by prefetch. */
export interface Forwarded {
  readonly call: HookCall;
  readonly foci: readonly AskedFocus[];
  /** "Type/id" of all that the call is about, for whichever payer. */
  readonly considered: ReadonlySet<string>;
  readonly coverages: readonly Coverage[];
  readonly patient: Patient | undefined;
  /** The queries of this service's own discovery by key: what the caller sent answers the same query of the payer's. */
  readonly ownPrefetch: Readonly<Record<string, string>>;
}

/**
 * The caller's access token and the address of its FHIR server stay here: they were given to this service, not to another organization.
 * Nor does the payer learn what is ordered under other coverages, or what other payers said.
 */
export function forwardedCall(forwarded: Forwarded, hookInstance: string, version: CrdVersion, prefetch: Readonly<Record<string, string>>): object {
  const { call } = forwarded;
  const extension = {
    ...(Object.keys(call.configuration).length > 0 ? { 'davinci-crd.configuration': call.configuration } : {}),
    ...(version === '2.0' ? {} : { 'davinci-crd.requestedVersion': version }),
  };
  return {
    hook: call.hook,
    hookInstance,
    context: contextOf(forwarded, version),
    prefetch: prefetchOf(forwarded, prefetch),
    ...(Object.keys(extension).length > 0 ? { extension } : {}),
  };
}

function contextOf(forwarded: Forwarded, version: CrdVersion): object {
  const { call: { hook, patientId, userId, encounterId, performer }, foci } = forwarded;
  const bundle = (resources: readonly Resource[]): Bundle => ({ resourceType: 'Bundle', type: 'collection', entry: resources.flatMap((resource) => shownTo(forwarded, resource) ?? []).map((resource) => ({ resource })) });
  const references = foci.flatMap(({ resource }) => referenceTo(resource) ?? []);
  const always = { ...(userId ? { userId } : {}), patientId, ...(encounterId ? { encounterId } : {}) };
  switch (hook) {
    case 'order-sign':
      return { ...always, draftOrders: bundle(foci.map(({ resource }) => resource)) };
    case 'order-select':
      return { ...always, draftOrders: bundle(foci.map(({ resource }) => resource)), selections: references };
    case 'appointment-book':
      return { ...always, appointments: bundle([...new Set(foci.flatMap(({ appointments }) => appointments))]) };
    case 'order-dispatch':
      return { patientId, performer, ...(version === '2.0' ? { order: references[0] } : { dispatchedOrders: references }) };
    case 'encounter-start':
    case 'encounter-discharge':
      return always;
  }
}

/** As the payer may see it, without what others said; undefined when it is for another payer. */
function shownTo({ foci, considered, coverages }: Forwarded, resource: Resource): Resource | undefined {
  const reference = referenceTo(resource);
  const own = foci.map(({ coverage }) => coverage);
  if (resource.resourceType === 'Coverage') return coverages.some((each) => referenceTo(each) === reference) ? resource : undefined;
  const isAsked = foci.some((focus) => [focus.resource, focus.counterpart, ...focus.appointments].some((each) => each && referenceTo(each) === reference));
  if (!isAsked && reference !== undefined && considered.has(reference)) return undefined;
  const insurance = namedCoverages(resource);
  if (!isAsked && insurance.length > 0 && !insurance.some((each) => own.includes(each))) return undefined;
  return withoutOtherAnswers(resource, own);
}

function withoutOtherAnswers(resource: Resource, own: readonly string[]): Resource {
  const { extension, ...rest }: Resource & { readonly extension?: readonly Extension[] } = resource;
  if (!extension) return resource;
  const kept = extension.filter(({ url, extension: parts }) => url !== CRD_URLS.coverageInformation || parts?.some((part) => part.url === 'coverage' && own.includes(relativeReference(part.valueReference?.reference ?? '') ?? '')));
  return { ...rest, ...(kept.length > 0 ? { extension: kept } : {}) };
}

/** A query that nothing at hand answers is left out: the payer answers with what it has, or not at all. */
function prefetchOf(forwarded: Forwarded, asked: Readonly<Record<string, string>>): Readonly<Record<string, Resource | null>> {
  const found = Object.entries(asked).map(([key, query]) => {
    const answer = answerTo(query, forwarded);
    return [key, answer ? shownIn(forwarded, answer) : answer] as const;
  });
  return Object.fromEntries(found.filter((each): each is readonly [string, Resource | null] => each[1] !== undefined));
}

function shownIn(forwarded: Forwarded, answer: Resource): Resource | undefined {
  if (answer.resourceType !== 'Bundle') return shownTo(forwarded, answer);
  // Addresses of entries and pages are those of the caller's server; a urn is how entries name one another.
  const { entry = [], total: _ofAll, link: _toTheCaller, ...bundle } = answer;
  const shown = entry.map(({ fullUrl, resource }) => ({ ...(fullUrl?.startsWith('urn:') ? { fullUrl } : {}), resource: resource && shownTo(forwarded, resource) }));
  return { ...bundle, entry: shown.flatMap(({ resource, ...rest }) => (resource ? [{ ...rest, resource }] : [])) };
}

function answerTo(query: string, { call, foci, coverages, patient, ownPrefetch }: Forwarded): Resource | null | undefined {
  const searchset = (resources: readonly Resource[]): Bundle => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
  const given = Object.values(call.prefetch).flatMap((each) => (each ? resourcesOf(each) : []));
  if (query === 'Patient/{{context.patientId}}') return patient;
  if (query.startsWith('Coverage?patient={{context.patientId}}')) {
    const payors = coverages.flatMap(({ payor }) => (payor ?? []).flatMap(({ reference }) => relativeReference(reference ?? '') ?? []));
    return searchset([...coverages, ...(query.includes('_include=Coverage:payor') ? given.filter((resource) => payors.includes(referenceTo(resource) ?? '')) : [])]);
  }
  const order = foci[0] && referenceTo(foci[0].resource);
  const context: Readonly<Record<string, string | undefined>> = { 'context.userId': call.userId, 'context.performer': call.performer, 'context.order': call.hook === 'order-dispatch' ? order : undefined, 'context.encounterId': call.encounterId && `Encounter/${call.encounterId}` };
  const token = /^(?:Encounter\/)?\{\{([\w.]+)\}\}$/.exec(query)?.[1];
  if (token !== undefined) return [...foci.map(({ resource }) => resource), ...given].find((resource) => context[token] !== undefined && referenceTo(resource) === context[token]);
  const own = Object.entries(ownPrefetch).find(([, ours]) => ours === query)?.[0];
  return own === undefined ? undefined : call.prefetch[own];
}
