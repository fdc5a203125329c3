import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { Authorization } from '#prior-auth/worklist-api.ts';
import { decisionOf } from '../store/case-clock.ts';

/** What the payer authorized, item by item, and units used by item sequence; an item that nobody asked for has the payer's own code. */
export function authorizationsOf(found: PriorAuthCase, used: Readonly<Record<string, number>>): readonly Authorization[] {
  const decision = decisionOf(found);
  const services = [found.service, ...(found.further ?? [])];
  return (decision?.items ?? []).flatMap(({ sequence, decision: item }): Authorization[] => {
    if (item.kind !== 'approved' && item.kind !== 'modified') return [];
    const { authorizationNumber, validity, authorized } = item;
    return [{
      sequence,
      service: services[sequence - 1]?.display ?? authorized?.code?.code ?? `${sequence}`,
      number: authorizationNumber ?? decision?.preAuthRef ?? null,
      validFrom: validity?.start?.slice(0, 10) ?? null,
      validUntil: validity?.end?.slice(0, 10) ?? null,
      authorized: authorized?.quantity ?? null,
      used: used[sequence] ?? null,
    }];
  });
}
