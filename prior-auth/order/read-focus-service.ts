import type { Appointment, CodeableConcept, CommunicationRequest, Encounter, Reference, Resource } from '@medplum/fhirtypes';
import { lookUpKey, relativeReference } from '#fhir/base/reference.ts';
import { canonicalCoding } from './canonical-coding.ts';
import { isOrder, readRequestedService } from './read-requested-service.ts';
import type { RequestedService } from './requested-service.ts';

type LookUp = (reference: string) => Resource | undefined;

/** R4 has no code in a payload; CRD profiles the R5 element as this extension. Its brackets are escaped in 2.2 only. */
const PAYLOAD_CONTENT = ['[x]', '%5Bx%5D'].map((brackets) => `http://hl7.org/fhir/5.0/StructureDefinition/extension-CommunicationRequest.payload.content${brackets}`);
/** How an R4 appointment names a DeviceRequest or MedicationRequest as its basis. */
const ALTERNATE_REFERENCE = 'http://hl7.org/fhir/StructureDefinition/alternate-reference';

/**
 * What a resource asks for on which CRD gives coverage-information. `lookUp` gives the drug or device that an order names by reference,
 * and the requests an appointment is based on. Undefined where a communication, appointment or encounter carries no code: it asks for
 * nothing that a policy could name.
 */
export function readFocusService(focus: Resource, lookUp: LookUp = () => undefined): RequestedService | undefined {
  if (isOrder(focus)) return readRequestedService(focus, lookUp);
  switch (focus.resourceType) {
    case 'CommunicationRequest':
      return fromConcepts(focus, payloadsOf(focus));
    case 'Encounter':
      return fromConcepts(focus, [...(focus.type ?? []), ...(focus.serviceType ? [focus.serviceType] : [])]);
    case 'Appointment':
      return fromAppointment(focus, lookUp);
    default:
      return undefined;
  }
}

/** The requests that an appointment is based on; undefined for one that is not to be had. */
export function appointmentBases({ basedOn = [], contained = [] }: Appointment, lookUp: LookUp): readonly (Resource | undefined)[] {
  return basedOn.map((basis) => {
    const literal = baseReference(basis);
    return literal.startsWith('#') ? contained.find((resource) => resource.id === literal.slice(1)) : lookUp(lookUpKey(literal) ?? literal);
  });
}

function baseReference(basis: Reference): string {
  return basis.reference ?? basis.extension?.find((extension) => extension.url === ALTERNATE_REFERENCE)?.valueReference?.reference ?? '';
}

/** "Type/id", or the urn, of what has to be looked up before the focus can be read. */
export function neededReferences(focus: Resource): readonly string[] {
  const literals = focus.resourceType === 'DeviceRequest' ? [focus.codeReference?.reference] : focus.resourceType === 'MedicationRequest' ? [focus.medicationReference?.reference] : focus.resourceType === 'Appointment' ? (focus.basedOn ?? []).map(baseReference) : [];
  return literals.flatMap((literal) => lookUpKey(literal ?? '') ?? []);
}

/** What its orders ask for, and what it says itself. */
function fromAppointment(appointment: Appointment, lookUp: LookUp): RequestedService | undefined {
  const own = fromConcepts(appointment, [...(appointment.serviceType ?? []), ...(appointment.appointmentType ? [appointment.appointmentType] : [])]);
  const bases = appointmentBases(appointment, lookUp);
  const orders = bases.flatMap((base) => (base && isOrder(base) ? [readRequestedService(base, lookUp)] : []));
  const [first] = orders;
  const itself = { order: `Appointment/${appointment.id}`, orderType: 'Appointment' } as const;
  const read = first ? { ...first, ...itself, codings: [...orders.flatMap((order) => order.codings), ...(own?.codings ?? [])] } : own;
  if (!bases.includes(undefined)) return read;
  return { ...itself, codings: [], display: 'Appointment', priority: 'routine', reasonCodes: [], reasonReferences: [], ...read, inPart: true };
}

function payloadsOf(request: CommunicationRequest): readonly CodeableConcept[] {
  return (request.payload ?? []).flatMap((payload) => (payload.extension ?? []).flatMap((extension) => (PAYLOAD_CONTENT.includes(extension.url) && extension.valueCodeableConcept ? [extension.valueCodeableConcept] : [])));
}

function fromConcepts(focus: CommunicationRequest | Appointment | Encounter, concepts: readonly CodeableConcept[]): RequestedService | undefined {
  const codings = concepts.flatMap((concept) => (concept.coding ?? []).flatMap((coding) => {
    const canonical = canonicalCoding(coding);
    const display = coding.display?.trim();
    return canonical ? [{ ...canonical, ...(display ? { display } : {}) }] : [];
  }));
  if (codings.length === 0) return undefined;
  const text = concepts.find((concept) => concept.text?.trim())?.text?.trim();
  return {
    order: `${focus.resourceType}/${focus.id}`,
    orderType: focus.resourceType,
    codings,
    display: text ?? codings.find((coding) => coding.display)?.display ?? codings[0]?.code ?? focus.resourceType,
    priority: focus.resourceType === 'CommunicationRequest' ? (focus.priority ?? 'routine') : 'routine',
    reasonCodes: (focus.reasonCode ?? []).flatMap((concept) => (concept.coding ?? []).flatMap((coding) => canonicalCoding(coding) ?? [])),
    reasonReferences: (focus.reasonReference ?? []).flatMap((reason) => relativeReference(reason.reference?.trim() ?? '') ?? []),
  };
}
