import type { Coding, Period, Resource, Timing } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { Order } from '../order/requested-service.ts';
import { canonicalCoding } from '../order/canonical-coding.ts';
import { fullDate } from './full-date.ts';
import { problem } from './members.ts';
import { readSetting, type RequestCategory } from './setting.ts';
import type { AskedOrder, SubmissionProblem } from './submission-input.ts';

/** What one Claim.item says, whichever PAS version writes it. */
export interface ServiceLine {
  readonly code: Coding & { readonly system: string; readonly code: string };
  /** CPT and HCPCS modifiers, such as RR (rental) or NU (new). */
  readonly modifiers: readonly { readonly system: string; readonly code: string }[];
  /** X12 1365. */
  readonly category: string;
  /** X12 1525. */
  readonly requestCategory: RequestCategory;
  /** CMS place of service. */
  readonly place: string;
  readonly serviced?: { readonly date: string } | { readonly period: Period };
  readonly quantity?: { readonly value: number; readonly unit?: string };
}

/** Systems of the required binding of Claim.item.productOrService (X12278RequestedServiceType), best first. */
const BILLING_SYSTEMS: readonly string[] = [CODE_SYSTEMS.hcpcs, CODE_SYSTEMS.cpt, CODE_SYSTEMS.ndc, CODE_SYSTEMS.icd10pcs, CODE_SYSTEMS.x12ServiceType];
/** X12 1365: consultation, what a referral asks for when it names no service. */
const CONSULTATION = '3';
/** SV1 has room for four. */
const MOST_MODIFIERS = 4;

export function readServiceLine({ service, order }: AskedOrder, supporting: readonly Resource[]): { readonly kind: 'found'; readonly line: ServiceLine } | { readonly kind: 'problem'; readonly problem: SubmissionProblem } {
  const { setting, place } = readSetting(order, supporting);
  const billed = service.codings.filter((coding) => !isModifier(coding));
  const code = BILLING_SYSTEMS.map((system) => billed.find((coding) => coding.system === system)).find((coding) => coding !== undefined) ?? WITHOUT_CODE[setting];
  if (!code) {
    return problem('SERVICE_CODE_MISSING', 'The order has no HCPCS, CPT, NDC or ICD-10-PCS code.', 'Give the order a billing code in the EHR.');
  }
  const serviced = servicedOf(order);
  const quantity = service.quantity && service.quantity.value > 0 ? service.quantity : undefined;
  const modifiers = modifiersOf(order, service.codings);
  const isAtHome = isHomeHealth(code.code);
  return {
    kind: 'found',
    line: {
      code: { system: code.system, code: code.system === CODE_SYSTEMS.ndc ? billedNdc(code.code) : code.code, ...(code.display ? { display: code.display } : {}) },
      modifiers,
      category: setting === 'referral' ? CONSULTATION : categoryOf(order, code, { unit: quantity?.unit, isRental: modifiers.some((modifier) => modifier.code === 'RR') }),
      requestCategory: setting === 'referral' ? 'SC' : setting === 'admission' ? 'AR' : 'HS',
      place: place ?? (isAtHome ? '12' : '11'),
      ...(serviced ? { serviced } : {}),
      ...(quantity ? { quantity } : {}),
    },
  };
}

/** An admission is asked for by its place and dates, a referral by the kind of service; every other order by its billing code. */
const WITHOUT_CODE: Readonly<Record<'referral' | 'admission' | 'service', { readonly system: string; readonly code: string; readonly display?: string } | undefined>> = {
  referral: { system: CODE_SYSTEMS.x12ServiceType, code: CONSULTATION },
  admission: { system: CODE_SYSTEMS.dataAbsentReason, code: 'not-applicable' },
  service: undefined,
};

function isModifier({ system, code }: { readonly system: string; readonly code: string }): boolean {
  return (system === CODE_SYSTEMS.hcpcs || system === CODE_SYSTEMS.cpt) && /^[A-Z0-9]{2}$/i.test(code);
}

/** Codings of two characters beside the billing code, or in a parameter of a device's order. */
function modifiersOf(order: Order, codings: readonly { readonly system: string; readonly code: string }[]): ServiceLine['modifiers'] {
  const ofParameters = order.resourceType === 'DeviceRequest' ? (order.parameter ?? []).flatMap(({ valueCodeableConcept }) => (valueCodeableConcept?.coding ?? []).flatMap((coding) => canonicalCoding(coding) ?? [])) : [];
  const found = [...codings, ...ofParameters].filter(isModifier).map(({ system, code }) => ({ system, code: code.toUpperCase() }));
  return [...new Map(found.map((modifier) => [modifier.code, modifier])).values()].slice(0, MOST_MODIFIERS);
}

/** X12 writes an NDC with eleven digits, 5-4-2; labels print ten, in three groups of which one is short. */
function billedNdc(code: string): string {
  const groups = code.split('-');
  const [labeler = '', product = '', packaging = ''] = groups;
  return groups.length === 3 ? `${labeler.padStart(5, '0')}${product.padStart(4, '0')}${packaging.padStart(2, '0')}` : code;
}

/** HCPCS home health visits and shifts, CPT home visits of non-physicians and home infusion. */
function isHomeHealth(code: string): boolean {
  return /^(G0(15[1-9]|16[0-2]|299|300|49[3-6])|S912[2-9]|S913[01]|99(50\d|51[0-2]|60[0-2]))$/.test(code);
}

/** X12 1365, codes only. The rules stand in order; the last is medical care. CPT 10004-69990 is surgery. */
function categoryOf(order: Order, { system, code }: { readonly system: string; readonly code: string }, { unit, isRental }: { readonly unit: string | undefined; readonly isRental: boolean }): string {
  if (order.resourceType === 'DeviceRequest') return isRental || /^mo/i.test(unit ?? '') ? '18' : '12';
  if (isHomeHealth(code)) return '42';
  if (system === CODE_SYSTEMS.cpt && code >= '10004' && code <= '69990') return '2';
  return '1';
}

function servicedOf(order: Order): ServiceLine['serviced'] | undefined {
  const { period, date: day } = occurrenceOf(order);
  const date = fullDate(day);
  const start = fullDate(period?.start);
  const end = fullDate(period?.end);
  if (date) return { date };
  if (start && end && start <= end) return { period: { start, end } };
  return start ? { date: start } : undefined;
}

function occurrenceOf(order: Order): { readonly period?: Period | undefined; readonly date?: string | undefined } {
  const ofTiming = (timing: Timing | undefined) => ({ period: timing?.repeat?.boundsPeriod, date: timing?.event?.[0] });
  switch (order.resourceType) {
    case 'ServiceRequest':
    case 'DeviceRequest': {
      const timed = ofTiming(order.occurrenceTiming);
      return { period: order.occurrencePeriod ?? timed.period, date: order.occurrenceDateTime ?? timed.date };
    }
    case 'MedicationRequest': {
      const timed = ofTiming(order.dosageInstruction?.[0]?.timing);
      return { period: order.dispenseRequest?.validityPeriod ?? timed.period, date: timed.date };
    }
    case 'NutritionOrder':
      return ofTiming(order.enteralFormula?.administration?.[0]?.schedule ?? order.oralDiet?.schedule?.[0]);
    case 'VisionPrescription':
      return {};
  }
}
