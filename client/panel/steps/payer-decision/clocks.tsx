import type { ReactNode } from 'react';
import type { CaseView } from '#prior-auth/panel-api.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import { ClockBadge } from '../../../ui/clock-badge.tsx';
import { showDate } from '../../../ui/fhir-date.ts';
import { useNow } from '../../../ui/use-now.ts';
import { messages } from '../../messages.ts';

/** Who owes what until when, kept apart: the payer's legal time, and what we still have to answer. */
export function Clocks({ view: { clock, duties }, asks }: { readonly view: CaseView; readonly asks: readonly InformationRequest[] }): ReactNode {
  const words = messages.decision;
  const now = useNow(15_000);
  const open = asks.filter(({ state, answer }) => state === 'open' && answer?.kind !== 'sending');
  const first = open.flatMap(({ due }) => due ?? []).toSorted()[0];
  const ours = duties?.ours.find((duty) => duty.clock !== null && open.some(({ id }) => id === duty.askId))?.clock;
  if (clock === null && open.length === 0) return null;
  return (
    <dl className="facts small clocks">
      {clock !== null && (
        <>
          <dt>{words.payerOwes}</dt>
          <dd className="stack-tight">
            <span className="row"><ClockBadge clock={clock} now={now} /><span className="muted">{words.kinds[clock.kind]}</span></span>
            {clock.stoppedAt === undefined && <span className="muted">{words.deadline(showDate(clock.dueAt))}</span>}
          </dd>
        </>
      )}
      {open.length > 0 && (
        <>
          <dt>{words.weOwe}</dt>
          <dd>{ours && <><ClockBadge clock={ours} now={now} />{' '}</>}{words.weOweBy(open.length, first === undefined ? undefined : showDate(first))} {clock !== null && clock.stoppedAt === undefined && <span className="muted">{words.clockRuns}</span>}</dd>
        </>
      )}
    </dl>
  );
}
