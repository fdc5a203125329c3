import type { Appointment, Resource } from '@medplum/fhirtypes';
import { referenceTo } from '#fhir/base/reference.ts';
import { appointmentBases } from '#prior-auth/order/read-focus-service.ts';

/** What the payer's own service is asked about. */
export interface AskedFocus {
  readonly resource: Resource;
  /** "Coverage/…" under which it is asked. */
  readonly coverage: string;
  /** appointment-book: the appointment itself, or those that are made for the order. */
  readonly appointments: readonly Appointment[];
  /**
   * Where a payer of another CRD version puts its answer on it: 2.2 on the order of an appointment, 2.0.1 on the appointment. Undefined unless there is one of
   * each and neither speaks for anything else.
   */
  readonly counterpart: Resource | undefined;
}

export function askedFocus(resource: Resource, coverage: string, appointments: readonly Resource[], lookUp: (reference: string) => Resource | undefined): AskedFocus {
  if (resource.resourceType === 'Appointment') {
    const [base, ...more] = appointmentBases(resource, lookUp);
    return { resource, coverage, appointments: [resource], counterpart: more.length === 0 && !(base && resource.contained?.includes(base)) ? base : undefined };
  }
  const made = appointments.flatMap((each) => (each.resourceType === 'Appointment' && appointmentBases(each, lookUp).some((base) => base && referenceTo(base) === referenceTo(resource)) ? [each] : []));
  const [only, ...more] = made;
  return { resource, coverage, appointments: made, counterpart: more.length === 0 && only?.basedOn?.length === 1 ? only : undefined };
}
