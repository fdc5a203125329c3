import type { Coverage, Organization, Patient, Reference, Resource } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import type { Payer, PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { EvidenceType } from '#prior-auth/coverage-requirement/policy.ts';
import { type EhrReader, nextPage, resourcesOf } from './ehr-reader.ts';
import type { OrderSignCall } from './order-sign-call.ts';
import { ALWAYS, EVIDENCE, queryFor } from './standard-data.ts';

/** What a call lets us know, from its prefetch first and from the FHIR server for the rest. */
export interface RecordSource {
  /** undefined: could not be had. Empty: there is none. */
  coverages(): Promise<readonly CoverageOfPayer[] | undefined>;
  patient(): Promise<Patient | undefined>;
  /** Chart resources of those types; types that cannot be had are left out. */
  evidence(types: ReadonlySet<EvidenceType>): Promise<readonly Resource[]>;
  /** For the metric: where the data came from, so far. */
  source(): 'prefetch' | 'fetched' | 'incomplete';
}

export interface CoverageOfPayer {
  readonly coverage: Coverage;
  /** Undefined: an organization that is not configured, or that could not be read. */
  readonly payer: Payer | undefined;
}

export function openRecord(call: Pick<OrderSignCall, 'prefetch' | 'patientId'>, payers: PayerDirectory, read: EhrReader | undefined): RecordSource {
  let fetched = false;
  let incomplete = false;

  const fetchAll = async (query: string): Promise<readonly Resource[] | undefined> => {
    const found = await read?.(query);
    if (found) fetched = true;
    else incomplete = true;
    return found;
  };
  const gather = async (key: string, query: string): Promise<readonly Resource[] | undefined> => {
    const given = call.prefetch[key];
    if (given === null) return [];
    if (given === undefined || given.resourceType === 'OperationOutcome') return fetchAll(queryFor(query, call.patientId));
    const next = given.resourceType === 'Bundle' ? nextPage(given) : undefined;
    return next === undefined ? resourcesOf(given) : [...resourcesOf(given), ...((await fetchAll(next)) ?? [])];
  };
  const isOfPatient = (of: Reference | undefined): boolean => of?.reference === undefined || relativeReference(of.reference) === `Patient/${call.patientId}`;

  return {
    async coverages() {
      const resources = await gather('coverage', ALWAYS.coverage);
      if (!resources) return undefined;
      const coverages = resources.filter((resource) => resource.resourceType === 'Coverage').filter((coverage) => (coverage.status ?? 'active') === 'active' && isOfPatient(coverage.beneficiary));
      return Promise.all(coverages.map(async (coverage) => ({ coverage, payer: await payerOf(coverage, resources, payers, fetchAll) })));
    },
    async patient() {
      const resources = await gather('patient', ALWAYS.patient);
      return resources?.filter((resource) => resource.resourceType === 'Patient').find((patient) => patient.id === call.patientId);
    },
    async evidence(types) {
      const found = await Promise.all([...types].map((type) => gather(EVIDENCE[type].key, EVIDENCE[type].query)));
      return found.flatMap((resources) => resources ?? []).filter((resource) => !('subject' in resource) || isOfPatient(resource.subject as Reference | undefined));
    },
    source: () => (incomplete ? 'incomplete' : fetched ? 'fetched' : 'prefetch'),
  };
}

async function payerOf(coverage: Coverage, known: readonly Resource[], payers: PayerDirectory, fetchAll: (query: string) => Promise<readonly Resource[] | undefined>): Promise<Payer | undefined> {
  for (const payor of coverage.payor ?? []) {
    const reference = payor.reference ?? '';
    const organization = reference.startsWith('#')
      ? coverage.contained?.find((resource) => resource.id === reference.slice(1))
      : known.find((resource) => `${resource.resourceType}/${resource.id}` === relativeReference(reference));
    const named = payers.find(asOrganization(organization)) ?? payers.find({ resourceType: 'Organization', ...(payor.identifier ? { identifier: [payor.identifier] } : {}), ...(payor.display ? { name: payor.display } : {}) });
    if (named) return named;
    if (!organization && relativeReference(reference)?.startsWith('Organization/')) {
      const payer = payers.find(asOrganization((await fetchAll(reference))?.[0]));
      if (payer) return payer;
    }
  }
  return undefined;
}

function asOrganization(resource: Resource | undefined): Organization | undefined {
  return resource?.resourceType === 'Organization' ? resource : undefined;
}
