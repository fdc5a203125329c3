import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { PayerOutage } from '#prior-auth/worklist-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Notice } from '../ui/tone.tsx';
import { messages } from './messages.ts';
import { pausePayer, resumePayer } from './work-call.ts';

interface OutagesProps {
  readonly outages: readonly PayerOutage[];
  /** The payer that the list is filtered by: the one that may be stopped. */
  readonly payer: { readonly id: string; readonly name: string } | undefined;
  readonly onChanged: () => void;
}

/** Payers to which not everything goes at once: nothing is lost, and what waits goes by itself or when staff let it. */
export function Outages({ outages, payer, onChanged }: OutagesProps): ReactNode {
  const words = messages.outage;
  const [failure, setFailure] = useState<Failure>();
  const take = async (call: ReturnType<typeof resumePayer>): Promise<void> => {
    const reply = await call;
    setFailure(reply.kind === 'failed' ? reply.failure : undefined);
    if (reply.kind === 'ok') onChanged();
  };
  const mayStop = payer !== undefined && !outages.some(({ payerId, line }) => payerId === payer.id && (line === 'paused' || line === 'manual'));
  return (
    <>
      {outages.map(({ payerId, payerName, line, waiting, oldestQueuedAt, nextTryAt, drained, paused }) => (
        <Notice key={payerId} tone={line === 'draining' ? 'info' : 'warn'} live="polite">
          <p><span className="strong">{payerName}</span>: {words.titles[line]}.</p>
          <p className="small">
            {[
              words.waiting(waiting),
              ...(oldestQueuedAt === null ? [] : [words.since(showDate(oldestQueuedAt))]),
              ...(drained === null ? [] : [words.drained(drained.done, drained.of)]),
              ...(paused === null ? [] : [words.pausedBy(paused.by, showDate(paused.at)), ...(paused.note === '' ? [] : [paused.note])]),
            ].join(', ')}. {line === 'down' && (nextTryAt === null ? words.trying : words.nextTry(showDate(nextTryAt)))} {(line === 'down' || line === 'draining') && words.explained}
          </p>
          {line === 'paused' && <div><Button size="xs" variant="default" onClick={() => void take(resumePayer(payerId))}>{words.resume}</Button></div>}
        </Notice>
      ))}
      {mayStop && <div><Button size="xs" variant="default" onClick={() => void take(pausePayer(payer.id))}>{words.pause(payer.name)}</Button></div>}
      {failure && <FailureNotice failure={failure} />}
    </>
  );
}
