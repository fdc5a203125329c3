import type { Coverage, Organization, Patient, Reference, Resource } from '@medplum/fhirtypes';
import { lookUpKey, referenceTo, relativeReference } from '#fhir/base/reference.ts';
import type { Payer, PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { EvidenceType } from '#prior-auth/coverage-requirement/policy.ts';
import { type EhrAnswer, type EhrReader, entriesOf, hasFailed, nextPage, resourcesOf } from './ehr-reader.ts';
import type { HookCall } from './hook-call.ts';
import { ALWAYS, EVIDENCE, queryFor } from './prefetch/record-queries.ts';

/** What a call lets us know, from its prefetch first and from the FHIR server for the rest. Nothing is asked of the server twice. */
export interface RecordSource {
  /**
   * The patient's, active or not, with those that the orders themselves name ("Coverage/…") as far as they can be read: the usual search finds active ones only.
   */
  coverages(insurance: readonly string[]): Promise<KnownCoverages>;
  patient(): Promise<Patient | undefined>;
  /** Chart resources of those types, as far as they can be had. */
  evidence(types: ReadonlySet<EvidenceType>): Promise<readonly Resource[]>;
  /**
   * Resources by the reference they were asked by, "Type/id" or the urn of an entry, whatever key of the prefetch they came under; what cannot be had, or
   * belongs to another patient, is left out.
   */
  named(references: readonly string[]): Promise<ReadonlyMap<string, Resource>>;
  /** Resource types of which something could not be had, so far. */
  unread(): readonly string[];
  /** For the metric: where the data came from, so far. */
  source(): 'prefetch' | 'fetched' | 'incomplete';
}

export interface KnownCoverages {
  readonly found: readonly CoverageOfPayer[];
  /** Of the search. Unless `all`, the patient may have others; `nothing`: an order that names none of these has none that is known. */
  readonly searched: EhrAnswer['kind'];
}

export interface CoverageOfPayer {
  readonly coverage: Coverage;
  /** Undefined: an organization that is not configured, or that could not be read. */
  readonly payer: Payer | undefined;
  /** The payer is not known because its Organization could not be read. */
  readonly payerUnreadable: boolean;
}

const NOTHING: EhrAnswer = { kind: 'nothing', resources: [] };

export function openRecord(call: Pick<HookCall, 'prefetch' | 'patientId' | 'beside'>, payers: PayerDirectory, read: EhrReader | undefined): RecordSource {
  let fetched = false;
  const unread = new Set<string>();

  const reads = new Map<string, ReturnType<EhrReader> | undefined>();
  const fetchAll = async (query: string, type = query.split(/[?/]/)[0] ?? ''): Promise<EhrAnswer> => {
    if (!reads.has(query)) reads.set(query, read?.(query));
    const answer = (await reads.get(query)) ?? NOTHING;
    if (answer.kind !== 'nothing') fetched = true;
    if (answer.kind !== 'all') unread.add(type);
    return answer;
  };
  const gather = async (key: string, query: string): Promise<EhrAnswer> => {
    const given = call.prefetch[key];
    if (given === null) return { kind: 'all', resources: [] };
    if (given === undefined || hasFailed(given)) return fetchAll(queryFor(query, call.patientId));
    const next = given.resourceType === 'Bundle' ? nextPage(given) : undefined;
    if (next === undefined) return { kind: 'all', resources: resourcesOf(given) };
    const more = await fetchAll(next, query.split('?')[0]);
    const resources = [...resourcesOf(given), ...more.resources];
    return { kind: more.kind === 'all' ? 'all' : resources.length > 0 ? 'part' : 'nothing', resources };
  };
  const isOfPatient = (of: Reference | undefined): boolean => of?.reference === undefined || relativeReference(of.reference) === `Patient/${call.patientId}`;
  const belongs = (resource: Resource): boolean => ('subject' in resource ? isOfPatient(resource.subject as Reference) : !('patient' in resource) || isOfPatient(resource.patient));

  let prefetched: ReadonlyMap<string, Resource> | undefined;
  const inPrefetch = (reference: string): Resource | undefined => {
    prefetched ??= new Map([...call.beside, ...Object.values(call.prefetch).flatMap((value) => (value ? entriesOf(value) : []))].flatMap(({ fullUrl, resource }) => (resource ? [[referenceTo(resource) ?? '', resource], [fullUrl ?? '', resource]] : [])));
    return prefetched.get(reference);
  };
  const readOne = async (reference: string): Promise<Resource | undefined> => (reference.startsWith('urn:') ? undefined : (await fetchAll(reference)).resources.find((resource) => referenceTo(resource) === reference));

  const named = async (references: readonly string[]): Promise<ReadonlyMap<string, Resource>> => {
    const found = await Promise.all([...new Set(references)].map(async (reference) => [reference, inPrefetch(reference) ?? (await readOne(reference))] as const));
    return new Map(found.filter((each): each is readonly [string, Resource] => each[1] !== undefined && belongs(each[1])));
  };

  return {
    async coverages(insurance) {
      const listed = await gather('coverage', ALWAYS.coverage);
      const known = new Set(listed.resources.map((resource) => referenceTo(resource)));
      const ofOrders = await named(insurance.filter((reference) => reference.startsWith('Coverage/') && !known.has(reference)));
      const resources = [...listed.resources, ...ofOrders.values()];
      // Of two with one id the first.
      const byReference = new Map(resources.toReversed().map((resource) => [referenceTo(resource), resource]));
      const coverages = resources.filter((resource) => resource.resourceType === 'Coverage').filter((coverage) => isOfPatient(coverage.beneficiary));
      const lookUp = (reference: string): Resource | undefined => byReference.get(reference) ?? inPrefetch(reference);
      return { found: await Promise.all(coverages.map((coverage) => withPayer(coverage, lookUp, payers, fetchAll))), searched: listed.kind };
    },
    async patient() {
      const { resources } = await gather('patient', ALWAYS.patient);
      return resources.filter((resource) => resource.resourceType === 'Patient').find((patient) => patient.id === call.patientId);
    },
    async evidence(types) {
      const found = await Promise.all([...types].map((type) => gather(EVIDENCE[type].key, EVIDENCE[type].query)));
      return found.flatMap(({ resources }) => resources).filter(belongs);
    },
    named,
    unread: () => [...unread],
    source: () => (unread.size > 0 ? 'incomplete' : fetched ? 'fetched' : 'prefetch'),
  };
}

async function withPayer(coverage: Coverage, lookUp: (reference: string) => Resource | undefined, payers: PayerDirectory, fetchAll: (query: string) => Promise<EhrAnswer>): Promise<CoverageOfPayer> {
  let payerUnreadable = false;
  for (const payor of coverage.payor ?? []) {
    const reference = payor.reference ?? '';
    const literal = lookUpKey(reference);
    const organization = reference.startsWith('#') ? coverage.contained?.find((resource) => resource.id === reference.slice(1)) : literal === undefined ? undefined : lookUp(literal);
    const named = payers.find(asOrganization(organization)) ?? payers.find({ resourceType: 'Organization', ...(payor.identifier ? { identifier: [payor.identifier] } : {}), ...(payor.display ? { name: payor.display } : {}) });
    if (named) return { coverage, payer: named, payerUnreadable: false };
    if (!organization && literal?.startsWith('Organization/')) {
      const read = await fetchAll(reference);
      const payer = payers.find(asOrganization(read.resources[0]));
      if (payer) return { coverage, payer, payerUnreadable: false };
      if (read.kind === 'nothing') payerUnreadable = true;
    }
  }
  return { coverage, payer: undefined, payerUnreadable };
}

function asOrganization(resource: Resource | undefined): Organization | undefined {
  return resource?.resourceType === 'Organization' ? resource : undefined;
}
