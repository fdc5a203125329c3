import { type PriorAuthCase, standingAnswer } from '../case.ts';
import { type Clock, type ClockReading, clockOf, endOfDay, readClock } from './deadlines.ts';

/** What each side owes the other, kept apart. */
export interface Duties {
  /** The payer's decision, by law. Null where the payer does not have the request. */
  readonly payer: { readonly clock: Clock; readonly reading: ClockReading } | null;
  /** What the payer waits for from us, the one due first first; without a date the payer named none. */
  readonly ours: readonly { readonly askId: string; readonly text?: string; readonly clock: Pick<Clock, 'startedAt' | 'dueAt'> | null; readonly reading: ClockReading | null }[];
  /** The payer asked for more, and its own time goes on all the same: nothing in its answer stops the legal clock. */
  readonly payerClockRunsOn: boolean;
}

type ClockedCase = Pick<PriorAuthCase, 'state' | 'service' | 'further'>;

/** The payer's clock runs from the moment the payer has the request, also while a change of it is on its way or a person goes on by hand. Null before that, and where nothing is asked. One request has one clock: that of its most urgent order. */
export function payerClock({ state, service, further = [] }: ClockedCase, timeZone: string): Clock | null {
  const answer = standingAnswer(state);
  const submittedAt = answer?.submittedAt ?? (state.kind === 'manual' ? state.submittedAt : undefined);
  if (submittedAt === undefined) return null;
  const priority = [service, ...further].map((each) => each.priority).find((each) => each !== 'routine') ?? 'routine';
  return clockOf({ priority, submittedAt, decision: answer?.decision, timeZone });
}

/** `timeZone`: IANA name of the payer's: days are counted there. */
export function dutiesOf(priorAuthCase: ClockedCase, timeZone: string, nowMs: number): Duties {
  const clock = payerClock(priorAuthCase, timeZone);
  const answer = standingAnswer(priorAuthCase.state);
  const open = answer?.kind === 'pended' ? (answer.asks ?? []).filter(({ state }) => state === 'open') : [];
  const ours = open.map(({ id, text, due }) => {
    const ours = due === undefined || answer === undefined ? null : { startedAt: answer.decision.decidedAt, dueAt: endOfDay(due, timeZone) };
    return { askId: id, ...(text ? { text } : {}), clock: ours, reading: ours && readClock(ours, nowMs) };
  });
  return {
    payer: clock && { clock, reading: readClock(clock, nowMs) },
    ours: ours.toSorted((a, b) => (a.clock?.dueAt ?? '9999').localeCompare(b.clock?.dueAt ?? '9999')),
    payerClockRunsOn: ours.length > 0 && clock !== null && clock.stoppedAt === undefined,
  };
}
