import { randomInt } from 'node:crypto';
import type { ClaimItem } from '@medplum/fhirtypes';
import type { AuthorizedQuantity, DecidedBy, Verdict } from '../policy/item-review.ts';

export interface Reviewer {
  readonly name: string;
  readonly npi?: string;
  /** NUCC taxonomy code. */
  readonly specialty?: string;
}

/** Who decided, kept with the decision. */
interface Decided {
  readonly by?: DecidedBy;
  readonly reviewer?: Reviewer;
  /** X12 886 codes as the reviewer gave them. */
  readonly reasonCodes?: readonly string[];
}

/** Approved or modified. Dates are YYYY-MM-DD. */
export interface GrantedItem extends Decided {
  readonly kind: 'approved' | 'modified';
  readonly authorizationNumber: string;
  /** The number it was pended under, still good for an inquiry. */
  readonly referenceNumber?: string;
  readonly issued: string;
  readonly validity: { readonly start: string; readonly end: string };
  readonly authorized?: AuthorizedQuantity;
  readonly note?: string;
}

/** Denied or not yet decided. */
export interface WithheldItem extends Decided {
  readonly kind: 'denied' | 'pended';
  readonly referenceNumber: string;
  readonly note: string;
}

/** Taken back by the provider. The numbers stay good for an inquiry. */
export interface CancelledItem extends Decided {
  readonly kind: 'cancelled';
  readonly authorizationNumber?: string;
  readonly referenceNumber?: string;
  readonly note: string;
}

/** The standing of one item as the payer answers it. */
export type ItemDecision = GrantedItem | WithheldItem | CancelledItem;

export function isGranted(decision: ItemDecision): decision is GrantedItem {
  return decision.kind === 'approved' || decision.kind === 'modified';
}

const VALIDITY_DAYS = 180;
const DAY_MS = 86_400_000;

/** Puts a verdict into force: gives the numbers and the period. `before` is the item's earlier standing, whose numbers it keeps. */
export function putInForce(verdict: Verdict, item: ClaimItem, epochMs: number, { before, by, reviewer }: { readonly before?: ItemDecision | undefined; readonly by: DecidedBy; readonly reviewer?: Reviewer | undefined }): ItemDecision {
  const referenceNumber = before?.referenceNumber;
  const decided = { by, ...(reviewer ? { reviewer } : {}), ...('reasonCodes' in verdict && verdict.reasonCodes ? { reasonCodes: verdict.reasonCodes } : {}) };
  switch (verdict.kind) {
    case 'approve':
    case 'modify':
      return {
        kind: verdict.kind === 'approve' ? 'approved' : 'modified',
        authorizationNumber: numberOf(before) ?? newNumber('PA'),
        ...(referenceNumber === undefined ? {} : { referenceNumber }),
        issued: toDay(epochMs),
        validity: validityOf(item, epochMs),
        ...(verdict.authorized ? { authorized: verdict.authorized } : {}),
        ...(verdict.note === undefined ? {} : { note: verdict.note }),
        ...decided,
      };
    case 'deny':
      return { kind: 'denied', referenceNumber: referenceNumber ?? newNumber('RF'), note: verdict.note, ...decided };
    case 'pend':
      return { kind: 'pended', referenceNumber: referenceNumber ?? newNumber('RF'), note: verdict.note };
  }
}

export function cancelItem(before: ItemDecision): CancelledItem {
  const authorizationNumber = numberOf(before);
  return {
    kind: 'cancelled',
    ...(authorizationNumber === undefined ? {} : { authorizationNumber }),
    ...(before.referenceNumber === undefined ? {} : { referenceNumber: before.referenceNumber }),
    note: 'Cancelled as the provider asked.',
    by: 'provider',
  };
}

/** The authorization number that an item has or had. */
export function numberOf(decision: ItemDecision | undefined): string | undefined {
  return decision && 'authorizationNumber' in decision ? decision.authorizationNumber : undefined;
}

export function toDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** From the day of service, or today when that has passed, for 180 days; longer when the service itself lasts longer. */
function validityOf(item: ClaimItem, epochMs: number): { start: string; end: string } {
  const today = toDay(epochMs);
  const asked = item.servicedDate ?? item.servicedPeriod?.start ?? today;
  const start = asked > today ? asked.slice(0, 10) : today;
  const end = toDay(Date.parse(start) + VALIDITY_DAYS * DAY_MS);
  const lasts = item.servicedPeriod?.end?.slice(0, 10) ?? end;
  return { start, end: lasts > end ? lasts : end };
}

/** A control number that information is sent back under. */
export const newControlNumber = (): string => newNumber('AC');

/** Ten signs without those that are mistaken for one another on the telephone. */
function newNumber(prefix: string): string {
  const signs = '23456789ABCDEFGHJKMNPQRSTVWXYZ';
  return `${prefix}${Array.from({ length: 10 }, () => signs[randomInt(signs.length)]).join('')}`;
}
