import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import type { HandOver } from '#prior-auth/panel-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import type { WorklistRow } from '#prior-auth/worklist-api.ts';
import { caseClock, decisionOf, type TimeZoneOf } from '../store/case-clock.ts';
import { openAsks } from '../store/worklist-row.ts';
import type { ListedCase } from '../store/worklist.ts';
import { registeredOf } from './authorizations.ts';

interface RowFacts {
  readonly timeZoneOf: TimeZoneOf;
  readonly now: () => number;
}

export function toRow({ case: found, mustAct, nextTouch, assignedTo, handOver, requesterName, used }: ListedCase, { timeZoneOf, now }: RowFacts): WorklistRow {
  const decision = decisionOf(found);
  const asks = openAsks(found);
  return {
    caseId: found.id,
    patientName: found.patient.name,
    service: found.service.display,
    serviceCode: found.service.codings[0]?.code ?? null,
    payerName: found.payer.name,
    requester: requesterName ?? found.requester ?? null,
    state: found.state.kind,
    mustAct,
    wantsMore: asks.length === 0 ? null : { due: asks.flatMap(({ due }) => due ?? []).sort()[0] ?? null },
    decision: decision ? sayDecision(decision) : null,
    clock: caseClock(found, timeZoneOf),
    updatedAt: found.updatedAt,
    nextTouch,
    assignedTo,
    ...(handOver ? { handedOver: sayHandOver(handOver) } : {}),
    authorizations: registeredOf(found, used, calendarDay(now(), timeZoneOf(found.payer.id))),
  };
}

function sayHandOver({ by, to, at, takenBy }: HandOver): NonNullable<WorklistRow['handedOver']> {
  return { by: by.name, to: to.name, at, ...(takenBy ? { takenBy: takenBy.name } : {}) };
}
