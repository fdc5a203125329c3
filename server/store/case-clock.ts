import { type PriorAuthCase, standingAnswer } from '#prior-auth/case.ts';
import { type Clock, clockOf } from '#prior-auth/payer-decision/deadlines.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';

/** IANA name of a payer's time zone. */
export type TimeZoneOf = (payerId: string) => string;

/** The payer's clock runs from the moment the payer has the request, also while a change of it is on its way or a person goes on by hand. Null before that, and where nothing is asked. */
export function caseClock({ state, service, further = [], payer }: PriorAuthCase, timeZoneOf: TimeZoneOf): Clock | null {
  const answer = standingAnswer(state);
  const submittedAt = answer?.submittedAt ?? (state.kind === 'manual' ? state.submittedAt : undefined);
  if (submittedAt === undefined) return null;
  // One request has one clock: that of its most urgent order.
  const priority = [service, ...further].map((each) => each.priority).find((each) => each !== 'routine') ?? 'routine';
  return clockOf({ priority, submittedAt, decision: answer?.decision, timeZone: timeZoneOf(payer.id) });
}

export function decisionOf({ state }: PriorAuthCase): PayerDecision | undefined {
  return state.kind === 'pended' || state.kind === 'decided' ? state.decision : undefined;
}
