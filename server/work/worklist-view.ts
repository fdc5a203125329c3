import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { HandOver } from '#prior-auth/panel-api.ts';
import { sayDecision } from '#prior-auth/payer-decision/decision-words.ts';
import type { WorklistRow } from '#prior-auth/worklist-api.ts';
import { caseClock, decisionOf, type TimeZoneOf } from '../store/case-clock.ts';
import type { ListedCase } from '../store/worklist.ts';
import { authorizationsOf } from './authorizations.ts';

export function toRow({ case: found, mustAct, nextTouch, assignedTo, handOver, requesterName, used }: ListedCase, timeZoneOf: TimeZoneOf): WorklistRow {
  const decision = decisionOf(found);
  return {
    caseId: found.id,
    patientName: found.patient.name,
    service: found.service.display,
    serviceCode: found.service.codings[0]?.code ?? null,
    payerName: found.payer.name,
    requester: requesterName ?? found.requester ?? null,
    state: found.state.kind,
    mustAct,
    wantsMore: wantsMore(found),
    decision: decision ? sayDecision(decision) : null,
    clock: caseClock(found, timeZoneOf),
    updatedAt: found.updatedAt,
    nextTouch,
    assignedTo,
    ...(handOver ? { handedOver: sayHandOver(handOver) } : {}),
    authorizations: authorizationsOf(found, used),
  };
}

/** The first day on which an answer to the payer is due. */
function wantsMore({ state }: PriorAuthCase): WorklistRow['wantsMore'] {
  const open = state.kind === 'pended' ? (state.asks ?? []).filter((ask) => ask.state === 'open') : [];
  return open.length === 0 ? null : { due: open.flatMap(({ due }) => due ?? []).sort()[0] ?? null };
}

function sayHandOver({ by, to, at, takenBy }: HandOver): NonNullable<WorklistRow['handedOver']> {
  return { by: by.name, to: to.name, at, ...(takenBy ? { takenBy: takenBy.name } : {}) };
}
