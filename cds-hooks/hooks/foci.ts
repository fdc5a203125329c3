import type { Resource } from '@medplum/fhirtypes';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { appointmentBases, neededReferences } from '#prior-auth/order/read-focus-service.ts';
import { isOrder } from '#prior-auth/order/read-requested-service.ts';
import type { HookCall } from '../hook-call.ts';
import type { RecordSource } from '../record.ts';
import type { AnswerWriter } from '../versions/answer-writer.ts';

export interface Foci {
  /** What gets an answer: each order, appointment or encounter once. */
  readonly resources: readonly Resource[];
  /** Drugs, devices and requests that they name, by "Type/id" or the urn they are named by. */
  readonly lookUp: (reference: string) => Resource | undefined;
}

/** What the call asks about, with what it takes to read it. Empty when the call only names what cannot be had. */
export async function findFoci(call: HookCall, record: RecordSource, writer: AnswerWriter): Promise<Foci> {
  const given = [...selected(call), ...call.appointments, ...(await record.named(call.named)).values()];
  const needed = await record.named(given.flatMap(neededReferences));
  const further = await record.named([...needed.values()].flatMap(neededReferences));
  const lookUp = (reference: string): Resource | undefined => needed.get(reference) ?? further.get(reference);
  if (writer.appointmentAnswerOn === 'appointment') return { resources: distinct(given), lookUp };
  const moved = given.flatMap((focus): readonly Resource[] => {
    if (focus.resourceType !== 'Appointment') return [focus];
    const bases = appointmentBases(focus, lookUp);
    const requests = bases.flatMap((base) => (base && isOrder(base) && !focus.contained?.includes(base) ? [base] : []));
    // What the appointment asks for beyond them is answered on the appointment.
    return requests.length > 0 && requests.length === bases.length ? requests : [...requests, focus];
  });
  return { resources: distinct(moved), lookUp };
}

/** order-select names the drafts it is about; a selection may be written with or without its type. */
function selected({ orders, selections }: HookCall): readonly Resource[] {
  if (!selections) return orders;
  const picked = new Set(selections.map((selection) => relativeReference(selection) ?? selection));
  return orders.filter((order) => picked.has(referenceTo(order) ?? '') || picked.has(order.id ?? ''));
}

/** Of two with one id the first: a client could not tell their answers apart. */
function distinct(resources: readonly Resource[]): readonly Resource[] {
  return [...new Map(resources.toReversed().map((resource) => [referenceTo(resource), resource])).values()].toReversed();
}
