import type { CodeableConcept, Quantity, Reference } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import { PriorAuthError } from '../errors.ts';
import { canonicalCoding } from './canonical-coding.ts';
import { ORDER_TYPES, type Order, type OrderType, type RequestedService } from './requested-service.ts';

type Coding = RequestedService['codings'][number];

export function isOrder(resource: { readonly resourceType?: string | undefined } | undefined): resource is Order {
  return ORDER_TYPES.includes(resource?.resourceType as OrderType);
}

/**
 * What the order asks for. Reads leniently: code systems in any known spelling, codes with spaces or in lower case, no code at all.
 * `contained` and `lookUp` resources serve an order that names its drug or device by reference.
 * @throws PriorAuthError ORDER_UNREADABLE when the resource is no order type or has no id.
 */
export function readRequestedService(order: Order, lookUp: (reference: string) => unknown = () => undefined): RequestedService {
  if (!isOrder(order)) throw new PriorAuthError('ORDER_UNREADABLE', 'The resource is not an order type that can need prior authorization.');
  if (!order.id) throw new PriorAuthError('ORDER_UNREADABLE', `The ${order.resourceType} has no id.`);
  const concepts = conceptsOf(order, lookUp);
  const codings = distinct(concepts.flatMap(codingsOf));
  const quantity = quantityOf(order);
  const reasons = order.resourceType === 'VisionPrescription' || order.resourceType === 'NutritionOrder' ? undefined : order;
  return {
    order: `${order.resourceType}/${order.id}`,
    orderType: order.resourceType,
    codings,
    display: concepts.find((concept) => concept.text?.trim())?.text?.trim() ?? codings.find((coding) => coding.display)?.display ?? codings[0]?.code ?? 'Order without a code',
    ...(quantity ? { quantity } : {}),
    priority: ('priority' in order ? order.priority : undefined) ?? 'routine',
    reasonCodes: distinct((reasons?.reasonCode ?? []).flatMap(codingsOf)),
    reasonReferences: (reasons?.reasonReference ?? []).flatMap((reason) => relativeReference(reason.reference?.trim() ?? '') ?? []),
  };
}

function conceptsOf(order: Order, lookUp: (reference: string) => unknown): readonly CodeableConcept[] {
  switch (order.resourceType) {
    case 'ServiceRequest':
      return [order.code ?? {}, ...(order.orderDetail ?? [])];
    case 'DeviceRequest':
      return [order.codeCodeableConcept ?? referencedConcept(order, order.codeReference, lookUp, 'type')];
    case 'MedicationRequest':
      return [order.medicationCodeableConcept ?? referencedConcept(order, order.medicationReference, lookUp, 'code')];
    case 'NutritionOrder':
      return [...(order.enteralFormula?.baseFormulaType ? [order.enteralFormula.baseFormulaType] : []), ...(order.oralDiet?.type ?? []), ...(order.supplement ?? []).flatMap((s) => s.type ?? [])];
    case 'VisionPrescription':
      return (order.lensSpecification ?? []).map((lens) => lens.product ?? {});
  }
}

function referencedConcept(order: Order, reference: Reference | undefined, lookUp: (reference: string) => unknown, element: 'type' | 'code'): CodeableConcept {
  const literal = reference?.reference ?? '';
  const target = literal.startsWith('#') ? order.contained?.find((resource) => resource.id === literal.slice(1)) : lookUp(relativeReference(literal) ?? literal);
  const concept = (target as Partial<Record<typeof element, CodeableConcept>> | undefined)?.[element];
  return concept ?? (reference?.display ? { text: reference.display } : {});
}

function codingsOf(concept: CodeableConcept): readonly Coding[] {
  return (concept.coding ?? []).flatMap((coding) => {
    const canonical = canonicalCoding(coding);
    const display = coding.display?.trim();
    return canonical ? [{ ...canonical, ...(display ? { display } : {}) }] : [];
  });
}

function distinct(codings: readonly Coding[]): readonly Coding[] {
  return [...new Map(codings.map((coding) => [`${coding.system}|${coding.code}`, coding])).values()];
}

/** Amount asked. A rental's length is a `parameter` quantity of a DeviceRequest, or its occurrence in months. */
function quantityOf(order: Order): RequestedService['quantity'] {
  switch (order.resourceType) {
    case 'ServiceRequest':
      return amount(order.quantityQuantity);
    case 'DeviceRequest':
      return amount(order.parameter?.find((parameter) => parameter.valueQuantity)?.valueQuantity) ?? duration(order.occurrenceTiming?.repeat);
    case 'MedicationRequest':
      return amount(order.dispenseRequest?.quantity);
    default:
      return undefined;
  }
}

function amount(quantity: Quantity | undefined): RequestedService['quantity'] {
  if (typeof quantity?.value !== 'number') return undefined;
  const unit = quantity.unit ?? quantity.code;
  return { value: quantity.value, ...(unit ? { unit } : {}) };
}

function duration(repeat: { readonly boundsDuration?: Quantity } | undefined): RequestedService['quantity'] {
  return amount(repeat?.boundsDuration);
}
