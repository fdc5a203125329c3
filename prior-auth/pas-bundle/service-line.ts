import type { Coding, Period, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { Order } from '../order/requested-service.ts';
import { fullDate } from './full-date.ts';
import { problem } from './members.ts';
import type { AskedOrder, SubmissionProblem } from './submission-input.ts';

/** What one Claim.item says, whichever PAS version writes it. */
export interface ServiceLine {
  readonly code: Coding & { readonly system: string; readonly code: string };
  /** X12 1365. */
  readonly category: string;
  /** CMS place of service. */
  readonly place: string;
  readonly serviced?: { readonly date: string } | { readonly period: Period };
  readonly quantity?: { readonly value: number; readonly unit?: string };
}

/** Systems of the required binding of Claim.item.productOrService (X12278RequestedServiceType), best first. */
const BILLING_SYSTEMS: readonly string[] = [CODE_SYSTEMS.hcpcs, CODE_SYSTEMS.cpt, CODE_SYSTEMS.ndc, CODE_SYSTEMS.icd10pcs];

export function readServiceLine({ service, order }: AskedOrder, supporting: readonly Resource[]): { readonly kind: 'found'; readonly line: ServiceLine } | { readonly kind: 'problem'; readonly problem: SubmissionProblem } {
  const code = BILLING_SYSTEMS.map((system) => service.codings.find((coding) => coding.system === system)).find((coding) => coding !== undefined);
  if (!code) {
    return problem('SERVICE_CODE_MISSING', 'The order has no HCPCS, CPT, NDC or ICD-10-PCS code.', 'Give the order a billing code in the EHR.');
  }
  const serviced = servicedOf(order);
  const quantity = service.quantity && service.quantity.value > 0 ? service.quantity : undefined;
  return {
    kind: 'found',
    line: {
      code: { system: code.system, code: code.code, ...(code.display ? { display: code.display } : {}) },
      category: categoryOf(order, code, quantity?.unit),
      place: placeOf(order, supporting),
      ...(serviced ? { serviced } : {}),
      ...(quantity ? { quantity } : {}),
    },
  };
}

/**
 * X12 1365, codes only. The rules stand in order; the last is medical care.
 * HCPCS G0151-G0162 and G0299-G0300 are home health visits; CPT 10004-69990 is surgery.
 */
function categoryOf(order: Order, { system, code }: { readonly system: string; readonly code: string }, unit: string | undefined): string {
  if (order.resourceType === 'DeviceRequest') return /^mo/i.test(unit ?? '') ? '18' : '12';
  if (/^G0(15[1-9]|16[0-2]|299|300)$/.test(code)) return '42';
  if (system === CODE_SYSTEMS.cpt && code >= '10004' && code <= '69990') return '2';
  return '1';
}

/** The place the order or its Location names; else a device is used at home (12) and a service happens in the office (11). */
function placeOf(order: Order, supporting: readonly Resource[]): string {
  if (order.resourceType === 'DeviceRequest') return '12';
  if (order.resourceType !== 'ServiceRequest') return '11';
  const locations = order.locationReference?.map(({ reference }) => supporting.find((resource) => resource.id !== undefined && reference?.endsWith(`${resource.resourceType}/${resource.id}`))) ?? [];
  const concepts = [...(order.locationCode ?? []), ...locations.flatMap((location) => (location?.resourceType === 'Location' ? (location.type ?? []) : []))];
  const named = concepts.flatMap(({ coding }) => coding ?? []).find(({ system, code }) => system === CODE_SYSTEMS.placeOfService && code);
  return named?.code ?? '11';
}

function servicedOf(order: Order): ServiceLine['serviced'] | undefined {
  if (order.resourceType !== 'ServiceRequest' && order.resourceType !== 'DeviceRequest') return undefined;
  const period = order.occurrencePeriod ?? order.occurrenceTiming?.repeat?.boundsPeriod;
  const date = fullDate(order.occurrenceDateTime ?? order.occurrenceTiming?.event?.[0]);
  const start = fullDate(period?.start);
  const end = fullDate(period?.end);
  if (date) return { date };
  if (start && end && start <= end) return { period: { start, end } };
  return start ? { date: start } : undefined;
}
