import type { PriorAuthCase } from '../case.ts';
import type { ItemDecision, Period } from './decision.ts';

/** One authorized item: what may be provided under which number, until when, and how much of it was. */
export interface Authorization {
  readonly sequence: number;
  readonly number?: string;
  /** Relative reference of the order it is for; absent for what the payer added. */
  readonly order?: string;
  /** Days, both included, in the payer's calendar. */
  readonly validity?: Period;
  readonly authorized?: { readonly value: number; readonly unit?: string };
  readonly used: number;
  /** Null where the payer named no quantity. Below zero: more was used than authorized. */
  readonly left: number | null;
  /** `ends-soon`: within `WARN_DAYS`, or a fifth of its quantity or less is left. */
  readonly status: 'in-force' | 'not-yet' | 'ends-soon' | 'ended' | 'used-up';
  /** Days until it ends, in the payer's calendar; 0 is its last day, negative once it is over. */
  readonly daysLeft: number | null;
}

/** A renewal is decided within seven days, and asking takes some too. */
export const WARN_DAYS = 14;
const SCARCE = 0.2;
const DAY_MS = 86_400_000;

/** The authorizations of a decided case. `used` by item sequence; `today` YYYY-MM-DD at the payer. */
export function authorizationsOf({ state, service, further = [] }: Pick<PriorAuthCase, 'state' | 'service' | 'further'>, used: ReadonlyMap<number, number>, today: string): readonly Authorization[] {
  if (state.kind !== 'decided') return [];
  const orders = [service, ...further];
  return state.decision.items.flatMap(({ sequence, decision, addedByPayer }) => {
    if (decision.kind !== 'approved' && decision.kind !== 'modified') return [];
    const order = addedByPayer ? undefined : orders[sequence - 1];
    const spent = used.get(sequence) ?? 0;
    // What the payer does not restate it authorized as it was asked for; of a modified item only its own words count.
    const authorized = decision.authorized?.quantity ?? (decision.kind === 'approved' ? order?.quantity : undefined);
    const left = authorized ? authorized.value - spent : null;
    const daysLeft = daysUntil(decision.validity?.end, today);
    return [{
      sequence,
      ...(decision.authorizationNumber ? { number: decision.authorizationNumber } : {}),
      ...(order ? { order: order.order } : {}),
      ...(decision.validity ? { validity: decision.validity } : {}),
      ...(authorized ? { authorized } : {}),
      used: spent,
      left,
      status: statusOf(decision, { left, authorized: authorized?.value ?? null, daysLeft, today }),
      daysLeft,
    }];
  });
}

function statusOf(decision: Extract<ItemDecision, { kind: 'approved' | 'modified' }>, { left, authorized, daysLeft, today }: { readonly left: number | null; readonly authorized: number | null; readonly daysLeft: number | null; readonly today: string }): Authorization['status'] {
  if (daysLeft !== null && daysLeft < 0) return 'ended';
  if (left !== null && left <= 0) return 'used-up';
  const start = decision.validity?.start?.slice(0, 10);
  if (start !== undefined && start > today) return 'not-yet';
  if (daysLeft !== null && daysLeft <= WARN_DAYS) return 'ends-soon';
  return left !== null && authorized !== null && authorized > 1 && left <= authorized * SCARCE ? 'ends-soon' : 'in-force';
}

function daysUntil(end: string | undefined, today: string): number | null {
  const endMs = Date.parse(`${end?.slice(0, 10) ?? ''}T00:00:00Z`);
  return Number.isNaN(endMs) ? null : Math.round((endMs - Date.parse(`${today}T00:00:00Z`)) / DAY_MS);
}
