import type { CodeableConcept, Reference, Resource } from '@medplum/fhirtypes';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { ResponseChange, ResponseOrder } from '#prior-auth/coverage-requirement/policy-response.ts';
import { firstResult } from '#prior-auth/coverage-requirement/hold-criteria.ts';

/** What a drafted order takes over from the order that is answered. */
export interface OrderAnswered {
  readonly order: Resource;
  readonly patientId: string;
  /** Requester where the order names none. */
  readonly userId: string | undefined;
  /** Relative reference of the coverage. */
  readonly coverage: string;
  readonly today: string;
}

/** A draft as the policy describes it, for the same patient, by the same requester. Undefined when nobody is known who could request it. */
export function draftedOrder({ resourceType, code, elements = {} }: ResponseOrder, answered: OrderAnswered): Resource | undefined {
  const requester = requesterOf(answered);
  if (!requester) return undefined;
  const subject = { reference: `Patient/${answered.patientId}` };
  const concept: CodeableConcept | undefined = code && { coding: [code], text: code.display };
  const encounter = elementOf<Reference>(answered.order, 'encounter');
  const inEncounter = encounter ? { encounter } : {};
  const insurance = { insurance: [{ reference: answered.coverage }] };
  const asked = { status: 'draft', intent: 'order', subject, authoredOn: answered.today, requester, ...inEncounter, ...reasonsOf(answered.order) };
  switch (resourceType) {
    case 'ServiceRequest':
      return { resourceType, ...asked, ...insurance, ...(concept ? { code: concept } : {}), ...elements } as Resource;
    case 'DeviceRequest':
      return { resourceType, ...asked, ...insurance, ...(concept ? { codeCodeableConcept: concept } : {}), ...elements } as Resource;
    case 'MedicationRequest':
      return { resourceType, ...asked, ...insurance, ...(concept ? { medicationCodeableConcept: concept } : {}), ...elements } as Resource;
    case 'NutritionOrder':
      return { resourceType, status: 'draft', intent: 'order', patient: subject, dateTime: answered.today, orderer: requester, ...inEncounter, ...elements } as Resource;
    case 'VisionPrescription':
      return { resourceType, status: 'draft', created: answered.today, patient: subject, dateWritten: answered.today, prescriber: requester, ...inEncounter, ...elements } as Resource;
    case 'CommunicationRequest':
      return { resourceType, status: 'draft', subject, authoredOn: answered.today, requester, ...inEncounter, basedOn: [{ reference: `${answered.order.resourceType}/${answered.order.id}` }], ...elements } as Resource;
  }
}

/**
 * The resource with some elements changed. Undefined when nothing would be other than it is, or an element cannot be computed.
 * What earlier answers said on it is left out: it was said of the resource as it was.
 */
export function changedResource<R extends Resource>(resource: R, { set = {}, compute = {} }: ResponseChange, today: string): R | undefined {
  const computed: Record<string, unknown> = {};
  for (const [element, path] of Object.entries(compute)) {
    const value = firstResult(path, resource, today);
    if (value === undefined || value === null) return undefined;
    computed[element] = value;
  }
  const changes = Object.entries({ ...set, ...computed });
  if (changes.every(([element, value]) => JSON.stringify(elementOf(resource, element)) === JSON.stringify(value))) return undefined;
  const extension = (elementOf<readonly { readonly url: string }[]>(resource, 'extension') ?? []).filter(({ url }) => url !== CRD_URLS.coverageInformation);
  const { extension: _before, ...rest } = resource as R & { readonly extension?: unknown };
  return { ...rest, ...(extension.length > 0 ? { extension } : {}), ...Object.fromEntries(changes) } as R;
}

function requesterOf({ order, userId }: OrderAnswered): Reference | undefined {
  const named = ['requester', 'orderer', 'prescriber'].map((element) => elementOf<Reference>(order, element)).find((each) => each?.reference !== undefined);
  return named ?? (userId !== undefined && /^Practitioner(?:Role)?\//.test(userId) ? { reference: userId } : undefined);
}

function reasonsOf(order: Resource): object {
  const reasonCode = elementOf(order, 'reasonCode');
  const reasonReference = elementOf(order, 'reasonReference');
  return { ...(reasonCode ? { reasonCode } : {}), ...(reasonReference ? { reasonReference } : {}) };
}

function elementOf<T = unknown>(resource: Resource, element: string): T | undefined {
  return (resource as unknown as Readonly<Record<string, T | undefined>>)[element];
}
