import type { PriorAuthCase } from '#prior-auth/case.ts';
import { type Clock, clockOf } from '#prior-auth/payer-decision/deadlines.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';

/** IANA name of a payer's time zone. */
export type TimeZoneOf = (payerId: string) => string;

/** The payer's clock runs from the moment the payer has the request. Null before that, and where nothing is asked. */
export function caseClock({ state, service, payer }: PriorAuthCase, timeZoneOf: TimeZoneOf): Clock | null {
  if (state.kind !== 'pended' && state.kind !== 'decided') return null;
  return clockOf({ priority: service.priority, submittedAt: state.submittedAt, decision: state.decision, timeZone: timeZoneOf(payer.id) });
}

export function decisionOf({ state }: PriorAuthCase): PayerDecision | undefined {
  return state.kind === 'pended' || state.kind === 'decided' ? state.decision : undefined;
}
