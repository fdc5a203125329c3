import { Button } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { CaseNote, NewNote } from '#prior-auth/worklist-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Badge } from '../ui/tone.tsx';
import { textOf } from './form-text.ts';
import { messages } from './messages.ts';
import { addNote } from './work-call.ts';

/** Notes and calls, newest first; what is written stays as it is. */
export function CaseNotes({ caseId, notes, onChanged }: { readonly caseId: string; readonly notes: readonly CaseNote[]; readonly onChanged: () => void }): ReactNode {
  const words = messages.notes;
  const [kind, setKind] = useState<NewNote['kind']>('note');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const add = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const said = (name: string): string => textOf(data, name);
    const reference = said('reference');
    setBusy(true);
    const reply = await addNote(caseId, kind === 'note' ? { kind, text: said('text') } : { kind, withWhom: said('with'), outcome: said('text'), ...(reference === '' ? {} : { reference }) });
    setBusy(false);
    if (reply.kind === 'failed') return setFailure(reply.failure);
    setFailure(undefined);
    form.reset();
    onChanged();
  };
  return (
    <section className="stack">
      <h3>{words.title}</h3>
      {notes.length > 0 && (
        <ul className="stack">
          {notes.map(({ id, at, by, note }) => (
            <li key={id} className="stack-tight">
              {note.kind === 'call' && <p className="row"><Badge tone="info">{words.call}</Badge><span>{words.withWhom(note.withWhom)}</span></p>}
              <p className="unhurried">{note.kind === 'call' ? note.outcome : note.text}</p>
              {note.kind === 'call' && note.reference && <p className="small">{words.reference}: <span className="number">{note.reference}</span></p>}
              <p className="small muted number">{showDate(at)} · {by.name}</p>
            </li>
          ))}
        </ul>
      )}
      <form className="stack" onSubmit={(event) => void add(event)}>
        <fieldset className="row">
          <legend className="visually-hidden">{words.kind}</legend>
          {(['note', 'call'] as const).map((one) => <label key={one} className="row"><input type="radio" name="kind" checked={kind === one} onChange={() => setKind(one)} /> {one === 'note' ? words.note : words.call}</label>)}
        </fieldset>
        {kind === 'call' && <div className="field"><label htmlFor="note-with">{words.with}</label><input id="note-with" name="with" className="control" required maxLength={200} autoComplete="off" /></div>}
        <div className="field"><label htmlFor="note-text">{kind === 'call' ? words.outcome : words.text}</label><textarea id="note-text" name="text" className="control" required maxLength={4000} /></div>
        {kind === 'call' && <div className="field"><label htmlFor="note-reference">{words.reference}</label><input id="note-reference" name="reference" className="control" maxLength={100} autoComplete="off" /></div>}
        {failure && <FailureNotice failure={failure} />}
        <div><Button size="xs" type="submit" disabled={busy}>{words.add}</Button></div>
      </form>
    </section>
  );
}
