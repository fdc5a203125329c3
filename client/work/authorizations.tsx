import { Button } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { WorklistCase } from '#prior-auth/worklist-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Badge } from '../ui/tone.tsx';
import { calendarDay } from './filters.tsx';
import { textOf } from './form-text.ts';
import { messages } from './messages.ts';
import { enterUse } from './work-call.ts';

/** What is authorized and what was used of it; staff enter what was used. */
export function Authorizations({ found, onChanged }: { readonly found: WorklistCase; readonly onChanged: () => void }): ReactNode {
  const words = messages.register;
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const save = async (sequence: number, event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const note = textOf(data, 'note');
    setBusy(true);
    const reply = await enterUse(found.case.id, { sequence, quantity: Number(textOf(data, 'quantity')), usedOn: textOf(data, 'day'), ...(note === '' ? {} : { note }) });
    setBusy(false);
    setFailure(reply.kind === 'failed' ? reply.failure : undefined);
    if (reply.kind === 'failed') return;
    form.reset();
    onChanged();
  };
  return (
    <section className="stack">
      <h3>{messages.tabs.register}</h3>
      {found.authorizations.map((one) => (
        <div key={one.sequence} className="stack-tight">
          <p>{one.service} {one.number !== undefined && <span className="number strong">{one.number}</span>}</p>
          <p className="row small">
            <span>{words.units(one.used, one.authorized?.value, one.authorized?.unit)}</span>
            {one.validity?.end !== undefined && <span className="number">{one.validity.start === undefined ? '' : `${showDate(one.validity.start)} – `}{showDate(one.validity.end)}</span>}
            {one.status !== 'in-force' && <Badge tone={one.status === 'ends-soon' ? 'warn' : 'plain'}>{words.statuses[one.status]}</Badge>}
          </p>
          <details>
            <summary>{words.use.title}</summary>
            <form className="stack details-body" onSubmit={(event) => void save(one.sequence, event)}>
              <div className="field"><label htmlFor={`units-${one.sequence}`}>{words.use.quantity}</label><input id={`units-${one.sequence}`} name="quantity" type="number" step="any" required className="control" aria-describedby={`units-hint-${one.sequence}`} /><p id={`units-hint-${one.sequence}`} className="small muted">{words.use.hint}</p></div>
              <div className="field"><label htmlFor={`used-${one.sequence}`}>{words.use.day}</label><input id={`used-${one.sequence}`} name="day" type="date" required className="control" defaultValue={calendarDay()} /></div>
              <div className="field"><label htmlFor={`use-note-${one.sequence}`}>{words.use.note}</label><input id={`use-note-${one.sequence}`} name="note" className="control" maxLength={500} autoComplete="off" /></div>
              <div><Button size="xs" variant="default" type="submit" disabled={busy}>{words.use.save}</Button></div>
            </form>
          </details>
        </div>
      ))}
      {failure && <FailureNotice failure={failure} />}
    </section>
  );
}
