import type { Bundle, Coverage, Extension, Patient, Resource } from '@medplum/fhirtypes';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { CrdVersion, HookCall } from '../hook-call.ts';
import type { AskedFocus } from './payers-word.ts';

/** What goes on to one payer: the resources under its coverage, and of the record what its service asks for by prefetch. */
export interface Forwarded {
  readonly call: HookCall;
  readonly foci: readonly AskedFocus[];
  readonly coverages: readonly Coverage[];
  readonly patient: Patient | undefined;
  /** The queries of this service's own discovery by key: what the caller sent answers the same query of the payer's. */
  readonly ownPrefetch: Readonly<Record<string, string>>;
}

/**
 * The caller's access token and the address of its FHIR server stay here: they were given to this service, not to another organization.
 * Nor does the payer learn what other payers said of the order.
 */
export function forwardedCall(forwarded: Forwarded, hookInstance: string, version: CrdVersion, prefetch: Readonly<Record<string, string>>): object {
  const { call } = forwarded;
  return {
    hook: call.hook,
    hookInstance,
    context: contextOf(forwarded, version),
    prefetch: prefetchOf(forwarded, prefetch),
    extension: { 'davinci-crd.configuration': call.configuration, ...(version === '2.0' ? {} : { 'davinci-crd.requestedVersion': version }) },
  };
}

function contextOf({ call, foci }: Forwarded, version: CrdVersion): object {
  const { hook, patientId, userId, encounterId, performer } = call;
  const resources = foci.map(({ resource, coverage }) => withoutOtherAnswers(resource, coverage));
  const bundle: Bundle = { resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) };
  const references = foci.flatMap(({ resource }) => referenceTo(resource) ?? []);
  const always = { ...(userId ? { userId } : {}), patientId, ...(encounterId ? { encounterId } : {}) };
  switch (hook) {
    case 'order-sign':
      return { ...always, draftOrders: bundle };
    case 'order-select':
      return { ...always, draftOrders: bundle, selections: (call.selections ?? []).filter((each) => references.includes(each)) };
    case 'appointment-book':
      return { ...always, appointments: bundle };
    case 'order-dispatch':
      return { patientId, performer, ...(version === '2.0' ? { order: references[0] } : { dispatchedOrders: references }) };
    case 'encounter-start':
    case 'encounter-discharge':
      return always;
  }
}

function withoutOtherAnswers(resource: Resource, coverage: string): Resource {
  const { extension, ...rest }: Resource & { readonly extension?: readonly Extension[] } = resource;
  const kept = extension?.filter(({ url, extension: parts }) => url !== CRD_URLS.coverageInformation || parts?.some((part) => part.url === 'coverage' && relativeReference(part.valueReference?.reference ?? '') === coverage));
  return { ...rest, ...(kept && kept.length > 0 ? { extension: kept } : {}) };
}

/** A query that nothing at hand answers is left out: the payer answers with what it has, or not at all. */
function prefetchOf(forwarded: Forwarded, asked: Readonly<Record<string, string>>): Readonly<Record<string, Resource | null>> {
  const found = Object.entries(asked).map(([key, query]) => [key, answerTo(query, forwarded)] as const);
  return Object.fromEntries(found.filter((each): each is readonly [string, Resource | null] => each[1] !== undefined));
}

function answerTo(query: string, { call, foci, coverages, patient, ownPrefetch }: Forwarded): Resource | null | undefined {
  const searchset = (resources: readonly Resource[]): Bundle => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
  const given = Object.values(call.prefetch).flatMap((each) => (each?.resourceType === 'Bundle' ? (each.entry ?? []).flatMap(({ resource }) => resource ?? []) : each ? [each] : []));
  if (query === 'Patient/{{context.patientId}}') return patient;
  if (query.startsWith('Coverage?patient={{context.patientId}}')) {
    const payors = coverages.flatMap(({ payor }) => (payor ?? []).flatMap(({ reference }) => relativeReference(reference ?? '') ?? []));
    return searchset([...coverages, ...(query.includes('_include=Coverage:payor') ? given.filter((resource) => payors.includes(referenceTo(resource) ?? '')) : [])]);
  }
  const context: Readonly<Record<string, string | undefined>> = { 'context.userId': call.userId, 'context.performer': call.performer, 'context.order': call.named[0], 'context.encounterId': call.encounterId && `Encounter/${call.encounterId}` };
  const token = /^(?:Encounter\/)?\{\{([\w.]+)\}\}$/.exec(query)?.[1];
  if (token !== undefined) return [...foci.map(({ resource }) => resource), ...given].find((resource) => context[token] !== undefined && referenceTo(resource) === context[token]);
  const own = Object.entries(ownPrefetch).find(([, ours]) => ours === query)?.[0];
  return own === undefined ? undefined : call.prefetch[own];
}
