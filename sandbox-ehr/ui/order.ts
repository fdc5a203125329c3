import { randomUUID } from 'node:crypto';
import type { CodeableConcept, Coverage, DeviceRequest, MedicationRequest, ServiceRequest } from '@medplum/fhirtypes';
import { z } from 'zod';
import { isStorable } from '#store/storable-text.ts';
import type { Access } from '../fhir/access.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import { search } from '../fhir/search.ts';
import { parseSearch } from '../fhir/search-query.ts';
import { CATALOG } from './catalog.ts';
import { SCREEN_ACCESS } from './people.ts';
import { UiRefusal } from './refusal.ts';

export const ORDER_TYPES = ['DeviceRequest', 'ServiceRequest', 'MedicationRequest'] as const;
export type Order = (DeviceRequest | ServiceRequest | MedicationRequest) & { id: string };

export const orderReference = z.string().regex(/^(DeviceRequest|ServiceRequest|MedicationRequest)\/[A-Za-z0-9\-.]{1,64}$/);

export const newOrder = z.strictObject({
  catalogId: z.string(),
  /** The id that the order had while it was being written; a new one when left out. */
  id: z.uuid().optional(),
  quantity: z.number().positive().max(100_000).optional(),
  priority: z.enum(['routine', 'urgent', 'asap', 'stat']).optional(),
  reason: z.string().regex(/^Condition\/[A-Za-z0-9\-.]{1,64}$/).optional(),
  note: z.string().max(4000).refine(isStorable).optional(),
});

/** The patient's active coverages, the one with the lowest `order` first. */
export async function activeCoverages(repository: FhirRepository, patientId: string): Promise<(Coverage & { id: string })[]> {
  const { matches } = await search(repository, parseSearch('Coverage', [['beneficiary', `Patient/${patientId}`], ['status', 'active'], ['_sort', '_id']], false), SCREEN_ACCESS);
  return matches.filter((one): one is Coverage & { id: string } => one.resourceType === 'Coverage').sort((a, b) => (a.order ?? 99) - (b.order ?? 99));
}

/** Writes a draft order and returns its reference. Throws UiRefusal 409 when its id is taken. */
export async function draftOrder(repository: FhirRepository, user: string, access: Access, patientId: string, input: z.infer<typeof newOrder>): Promise<string> {
  const order = await buildDraft(repository, user, access, patientId, input);
  await refuseWrittenOrder(repository, order, access);
  await repository.transaction((inside) => inside.write([{ kind: 'put', resource: order }], access));
  return `${order.resourceType}/${order.id}`;
}

/** @throws UiRefusal 409 when the order's id is taken. */
export async function refuseWrittenOrder(repository: FhirRepository, order: Order, access: Access): Promise<void> {
  if (await repository.find(order.resourceType, order.id, access)) throw new UiRefusal(409, 'ORDER_ALREADY_WRITTEN', 'This order is written already.', 'Sign it from the list of orders.');
}

/** The draft as it would be written. */
export async function buildDraft(repository: FhirRepository, user: string, access: Access, patientId: string, input: z.infer<typeof newOrder>): Promise<Order> {
  const item = CATALOG.find((one) => one.id === input.catalogId);
  if (!item) throw new UiRefusal(422, 'CATALOG_ITEM_UNKNOWN', 'There is no such item in the catalog.');
  const patient = `Patient/${patientId}`;
  if (!(await repository.find('Patient', patientId, access))) throw new UiRefusal(404, 'PATIENT_NOT_FOUND', 'There is no such patient.');
  const reasonCode: CodeableConcept[] = [];
  if (input.reason) {
    const condition = await repository.find('Condition', input.reason.split('/')[1] ?? '', access);
    if (condition?.resourceType !== 'Condition' || condition.subject.reference !== patient) throw new UiRefusal(422, 'REASON_UNKNOWN', "The reason is not one of this patient's conditions.");
    if (condition.code) reasonCode.push(condition.code);
  }
  const [coverage] = await activeCoverages(repository, patientId);
  const value = input.quantity ?? item.suggestedQuantity?.value;
  const quantity = value === undefined ? undefined : { value, ...(item.suggestedQuantity ? { unit: item.suggestedQuantity.unit } : {}) };
  const concept = { coding: [{ ...item.code, display: item.display }], text: item.display };
  const common = {
    id: input.id ?? randomUUID(),
    status: 'draft' as const,
    intent: 'order' as const,
    priority: input.priority ?? ('routine' as const),
    subject: { reference: patient },
    authoredOn: new Date(repository.now()).toISOString(),
    requester: { reference: user },
    ...(input.reason ? { reasonReference: [{ reference: input.reason }], ...(reasonCode.length > 0 ? { reasonCode } : {}) } : {}),
    ...(coverage ? { insurance: [{ reference: `Coverage/${coverage.id}` }] } : {}),
    ...(input.note ? { note: [{ text: input.note }] } : {}),
  };
  return item.orderType === 'DeviceRequest'
    ? { resourceType: 'DeviceRequest', ...common, codeCodeableConcept: concept, ...(quantity ? { parameter: [{ code: { text: 'Quantity' }, valueQuantity: quantity }] } : {}) }
    : { resourceType: 'ServiceRequest', ...common, code: concept, ...(quantity ? { quantityQuantity: quantity } : {}) };
}

/** Throws UiRefusal 404 when there is no such order, 422 when it names no patient. */
export async function readOrder(repository: FhirRepository, reference: string): Promise<{ readonly order: Order; readonly patientId: string }> {
  const [type = '', id = ''] = reference.split('/');
  const order = await repository.find(type, id, SCREEN_ACCESS);
  if (order?.resourceType !== 'DeviceRequest' && order?.resourceType !== 'ServiceRequest' && order?.resourceType !== 'MedicationRequest') {
    throw new UiRefusal(404, 'ORDER_NOT_FOUND', 'There is no such order.');
  }
  const patientId = /^Patient\/(.+)$/.exec(order.subject.reference ?? '')?.[1];
  if (!patientId) throw new UiRefusal(422, 'ORDER_WITHOUT_PATIENT', 'The order names no patient.');
  return { order, patientId };
}
