import type { CodeableConcept, Location, Resource } from '@medplum/fhirtypes';
import { canonicalCodeSystem, CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { Order } from '../order/requested-service.ts';

/** X12 1525, of which PAS makes these public: health services, specialty care (referral), admission. */
export type RequestCategory = 'HS' | 'SC' | 'AR';

/** What kind of request an order makes, as far as it says. */
export interface Setting {
  readonly setting: 'referral' | 'admission' | 'service';
  /** CMS place of service; undefined when neither the order nor its kind says. */
  readonly place: string | undefined;
}

/** Places where a patient is admitted and an institution bills: hospital, skilled nursing, nursing, hospice, psychiatric, residential, rehabilitation. */
const ADMITTING_PLACES: ReadonlySet<string> = new Set(['21', '31', '32', '34', '51', '55', '56', '61']);
/** SNOMED CT: patient referral, to service, to specialist. */
const REFERRALS: ReadonlySet<string> = new Set(['3457005', '306206005', '103696004']);
/** SNOMED CT: hospital admission, elective, emergency; admission to a skilled nursing facility is known by its place. */
const ADMISSIONS: ReadonlySet<string> = new Set(['32485007', '8715000', '183452005']);
/** HL7 names of places that have one place of service. */
const PLACES_BY_ROLE: Readonly<Record<string, string>> = { PTRES: '12', SNF: '31', NCCF: '32', PSYCHF: '51' };

/** A device is used at home (12); a service happens where the order or its Location says. */
export function readSetting(order: Order, supporting: readonly Resource[]): Setting {
  if (order.resourceType === 'DeviceRequest' || order.resourceType === 'NutritionOrder') return { setting: 'service', place: '12' };
  if (order.resourceType !== 'ServiceRequest') return { setting: 'service', place: undefined };
  const location = locationOf(order, supporting);
  const named = [...(order.locationCode ?? []), ...(location?.type ?? [])].flatMap(({ coding }) => coding ?? []).map(({ system, code }) => (system?.trim() === CODE_SYSTEMS.placeOfService ? code?.trim() : PLACES_BY_ROLE[code?.trim() ?? ''])).find(Boolean);
  const kinds = [...(order.category ?? []), ...(order.code ? [order.code] : [])];
  if (isOneOf(kinds, ADMISSIONS)) return { setting: 'admission', place: named ?? '21' };
  if (named !== undefined && ADMITTING_PLACES.has(named)) return { setting: 'admission', place: named };
  return { setting: isOneOf(kinds, REFERRALS) ? 'referral' : 'service', place: named };
}

/** The first Location of the order that was read. */
export function locationOf(order: Order, supporting: readonly Resource[]): Location | undefined {
  if (order.resourceType !== 'ServiceRequest') return undefined;
  const found = (order.locationReference ?? []).map(({ reference }) => supporting.find((resource) => resource.resourceType === 'Location' && resource.id !== undefined && reference?.endsWith(`Location/${resource.id}`)));
  return found.find((resource): resource is Location => resource?.resourceType === 'Location');
}

/** PAS: a request about a stay in an institution is institutional; every other is professional. */
export function isInstitutional(places: readonly string[]): boolean {
  return places.some((place) => ADMITTING_PLACES.has(place));
}

function isOneOf(concepts: readonly CodeableConcept[], codes: ReadonlySet<string>): boolean {
  return concepts.some(({ coding }) => coding?.some(({ system, code }) => canonicalCodeSystem(system ?? '') === CODE_SYSTEMS.snomed && codes.has(code?.trim() ?? '')));
}
