import type { Hook } from '../hook-call.ts';

/*
 * CRD 2.0.1's standard queries, under keys of our own: that version names none. Tokens are those of CDS Hooks 2.0 and the ids of a
 * Bundle's entries by type. Only what an answer may rest on is asked for.
 */

const drafts = (type: 'DeviceRequest' | 'MedicationRequest', included: string): string => `${type}?_id={{context.draftOrders.${type}.id}}&_include=${type}:${included}`;
const DRAFTS = { draftDevices: drafts('DeviceRequest', 'device'), draftMedications: drafts('MedicationRequest', 'medication') };
const ENCOUNTERS = { encounter: 'Encounter/{{context.encounterId}}' };

/** Besides patient and coverage. */
export const STANDARD_2_0_1: { readonly [H in Hook]: Readonly<Record<string, string>> } = {
  'order-sign': DRAFTS,
  'order-select': DRAFTS,
  'order-dispatch': { order: '{{context.order}}' },
  'appointment-book': { appointmentOrders: 'Appointment?_id={{context.appointments.Appointment.id}}&_include=Appointment:based-on' },
  'encounter-start': ENCOUNTERS,
  'encounter-discharge': ENCOUNTERS,
};
