import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { Clock } from '#prior-auth/payer-decision/deadlines.ts';
import { payerClock } from '#prior-auth/payer-decision/duties.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';

/** IANA name of a payer's time zone. */
export type TimeZoneOf = (payerId: string) => string;

export function caseClock(priorAuthCase: PriorAuthCase, timeZoneOf: TimeZoneOf): Clock | null {
  return payerClock(priorAuthCase, timeZoneOf(priorAuthCase.payer.id));
}

export function decisionOf({ state }: PriorAuthCase): PayerDecision | undefined {
  return state.kind === 'pended' || state.kind === 'decided' ? state.decision : undefined;
}
