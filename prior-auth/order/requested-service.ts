import type { DeviceRequest, MedicationRequest, NutritionOrder, ServiceRequest, VisionPrescription } from '@medplum/fhirtypes';

/** FHIR resource types that can be an order in a prior authorization. */
export const ORDER_TYPES = ['ServiceRequest', 'DeviceRequest', 'MedicationRequest', 'NutritionOrder', 'VisionPrescription'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];
export type Order = ServiceRequest | DeviceRequest | MedicationRequest | NutritionOrder | VisionPrescription;

/** What a coverage requirement can be about: an order, or what CRD answers beside orders. */
export type FocusType = OrderType | 'CommunicationRequest' | 'Appointment' | 'Encounter';

/** The one thing an order, appointment or encounter asks for, whatever its resource type. */
export interface RequestedService {
  /** Relative reference of the order (appointment, encounter), "ServiceRequest/123". */
  readonly order: string;
  readonly orderType: FocusType;
  /** All codings of the order, trimmed; HCPCS and CPT systems in their one canonical spelling (canonical-coding.ts). */
  readonly codings: readonly { readonly system: string; readonly code: string; readonly display?: string }[];
  /** Words for the screen: text, else the first display, else the code. */
  readonly display: string;
  readonly quantity?: { readonly value: number; readonly unit?: string };
  readonly priority: 'routine' | 'urgent' | 'asap' | 'stat';
  readonly reasonCodes: readonly { readonly system: string; readonly code: string; readonly display?: string }[];
  /** Relative references of Conditions or Observations named as the reason. */
  readonly reasonReferences: readonly string[];
  /** An order that the appointment is based on could not be read: the codings are a part of what is asked for. */
  readonly inPart?: true;
}
