import type { PriorAuthCase } from '#prior-auth/case.ts';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { dutiesOf } from '#prior-auth/payer-decision/duties.ts';
import type { WorklistCase } from '#prior-auth/worklist-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import { caseClock, decisionOf } from '../store/case-clock.ts';
import { readLine } from '../store/worklist.ts';
import type { CaseNotes } from './case-notes.ts';
import { registeredOf } from './authorizations.ts';
import { tellTimeline } from './timeline.ts';
import type { WorklistParts } from './worklist-router.ts';

/** One case with all that staff may want to know of it; people by name. */
export async function viewWorklistCase({ store, audit, people, payerName, notes, timeZoneOf, now }: WorklistParts & { readonly notes: CaseNotes }, found: PriorAuthCase): Promise<WorklistCase> {
  const [line, rows, written] = await Promise.all([readLine(store, found.id), audit.ofCase(found.id), notes.list(found.id)]);
  const names = await people.names(found.ehrBase, [...rows.map(({ who }) => who), ...(found.requester ? [found.requester] : [])]);
  const nameOf = (who: string) => names.get(who) ?? OWN_SYSTEMS.get(who) ?? (who === found.payer.id ? payerName(who) : who);
  const decision = decisionOf(found);
  return {
    case: found,
    clock: caseClock(found, timeZoneOf),
    decision: decision ? sayDecision(decision) : null,
    duties: dutiesOf(found, timeZoneOf(found.payer.id), now()),
    mustAct: line.mustAct,
    nextTouch: line.nextTouch,
    assignedTo: line.assignedTo,
    handOver: line.handOver,
    requester: found.requester ? nameOf(found.requester) : null,
    authorizations: registeredOf(found, line.used, calendarDay(now(), timeZoneOf(found.payer.id))),
    notes: written,
    timeline: tellTimeline(rows).map((event) => ({ ...event, who: nameOf(event.who) })),
  };
}

/** Parts of this program that act by themselves. */
const OWN_SYSTEMS: ReadonlyMap<string, string> = new Map([
  ['open-prior-auth-server', 'Open Prior Auth'],
  ['pas-sender', 'Open Prior Auth'],
  ['payer', 'Payer'],
]);
