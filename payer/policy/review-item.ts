import type { Bundle, BundleEntry, ClaimItem, Resource } from '@medplum/fhirtypes';
import { canonicalCodeSystem, CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { entryOf } from '../submit/bundle-references.ts';
import { payerIdOf } from '../submit/parties.ts';
import type { PasRequest } from '../submit/read-request.ts';
import type { ItemReview, ServiceCode } from './item-review.ts';
import { findPolicy, type PolicyRevision } from './read-policies.ts';
import { weighCriteria } from './weigh-criteria.ts';

/** Code systems in which an item says what is asked for. X12 service types name a kind of care only, so a person reads those. */
const SERVICE_SYSTEMS: readonly string[] = [CODE_SYSTEMS.cpt, CODE_SYSTEMS.hcpcs, CODE_SYSTEMS.icd10pcs, CODE_SYSTEMS.ndc];

export interface ReviewSources {
  readonly policies: readonly PolicyRevision[];
  /** YYYY-MM-DD, the day the request came. */
  readonly day: string;
  readonly onFault: (policyId: string, criterionId: string, error: unknown) => void;
  /** What came after the request, as attachments. */
  readonly attachments?: readonly Resource[];
}

/** Finds the policy of one item and holds the whole bundle against its criteria. */
export function reviewItem(request: PasRequest, item: ClaimItem, { policies, day, onFault, attachments = [] }: ReviewSources): ItemReview {
  const service = serviceOf(item);
  const asked = item.quantity?.value === undefined ? undefined : { value: item.quantity.value, ...(item.quantity.unit === undefined ? {} : { unit: item.quantity.unit }) };
  const policy = service && findPolicy(policies, { service, day, payerId: payerIdOf(request), patientState: patientStateOf(request) });
  const { policyId = '', revision = '' } = policy ?? {};
  return {
    ...(service ? { service } : {}),
    ...(asked ? { asked } : {}),
    ...(policy ? { policy: { policyId, revision, covered: policy.covered, authorization: policy.authorization, decision: policy.decision } } : {}),
    criteria: policy ? weighCriteria(policy, { bundle: withEvidence(request.bundle, attachments), day, onFault: (criterionId, error) => onFault(policyId, criterionId, error) }) : [],
  };
}

/** The submission with its attachments, and with what nested bundles hold (a form of 2.2.1 may come in one). The Claim that an update replaces is no evidence. */
function withEvidence(bundle: Bundle, attachments: readonly Resource[]): Bundle {
  const [claim, ...others] = bundle.entry ?? [];
  const sent = [...others.filter(({ resource }) => resource?.resourceType !== 'Claim'), ...attachments.map((resource): BundleEntry => ({ resource }))];
  const nested = sent.flatMap(({ resource }) => (resource?.resourceType === 'Bundle' ? (resource.entry ?? []) : []));
  return { ...bundle, entry: [...(claim ? [claim] : []), ...sent, ...nested] };
}

export function serviceOf(item: ClaimItem): ServiceCode | undefined {
  for (const { system, code } of item.productOrService?.coding ?? []) {
    const canonical = canonicalCodeSystem(system ?? '');
    if (code && SERVICE_SYSTEMS.includes(canonical)) return { system: canonical, code: code.trim() };
  }
  return undefined;
}

/** Two letters; a state written otherwise counts as not given, so that no rule of a state is missed. */
function patientStateOf({ bundle, claim, claimUrl }: PasRequest): string | undefined {
  const patient = entryOf(bundle, claim.patient?.reference, claimUrl)?.resource;
  if (patient?.resourceType !== 'Patient') return undefined;
  return patient.address?.map(({ state = '' }) => state.trim().toUpperCase()).find((state) => /^[A-Z]{2}$/.test(state));
}
