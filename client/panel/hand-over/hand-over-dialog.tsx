import { Button } from '@mantine/core';
import { useEffect, useId, useState, type FormEvent, type ReactNode } from 'react';
import type { Colleague, HandOver } from '#prior-auth/panel-api.ts';
import type { Failure } from '../../ui/call-json.ts';
import { Drawer } from '../../ui/drawer.tsx';
import { FailureNotice } from '../../ui/failure-notice.tsx';
import { messages } from '../messages.ts';
import type { PanelCall } from '../panel-call.ts';

const TYPING_PAUSE_MS = 250;
const MOST_SHOWN = 12;

interface HandOverDialogProps {
  readonly call: PanelCall;
  readonly onHanded: (handOver: HandOver) => void;
  readonly onClose: () => void;
}

/** Choose a colleague, a role or a back office of the record system, and say what is to be done. */
export default function HandOverDialog({ call, onHanded, onClose }: HandOverDialogProps): ReactNode {
  const words = messages.handOver;
  const id = useId();
  const [typed, setTyped] = useState('');
  const [found, setFound] = useState<readonly Colleague[]>();
  const [chosen, setChosen] = useState<string>();
  const [note, setNote] = useState('');
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<Failure>();

  useEffect(() => {
    let current = true;
    const timer = setTimeout(() => {
      void call('listColleagues', { q: typed.trim() }).then((reply) => {
        if (!current) return;
        if (reply.kind === 'ok') setFound(reply.value.colleagues);
        else setFailure(reply.failure);
      });
    }, TYPING_PAUSE_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [call, typed]);

  const submit = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (chosen === undefined) return;
    setSending(true);
    setFailure(undefined);
    const reply = await call('handOver', { to: chosen, note: note.trim() });
    setSending(false);
    if (reply.kind === 'ok') onHanded(reply.value.handOver);
    else setFailure(reply.failure);
  };

  return (
    <Drawer title={words.title} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void submit(event)}>
        <div className="field">
          <label htmlFor={`${id}search`}>{words.search}</label>
          <input id={`${id}search`} type="search" className="control" maxLength={100} autoComplete="off" value={typed} onChange={({ target }) => setTyped(target.value)} />
        </div>
        <fieldset className="stack-tight">
          <legend>{words.to}</legend>
          {found?.slice(0, MOST_SHOWN).map(({ reference, name, role }) => (
            <label key={reference} className="row">
              <input type="radio" name={`${id}to`} value={reference} checked={chosen === reference} onChange={() => setChosen(reference)} />
              <span className="wrapping">{name}{role !== undefined && role !== name && <span className="small muted"> · {role}</span>}</span>
            </label>
          ))}
          <output className="small muted">{found?.length === 0 ? words.none : (found?.length ?? 0) > MOST_SHOWN ? words.more : ''}</output>
        </fieldset>
        <div className="field">
          <label htmlFor={`${id}note`}>{words.note}</label>
          <textarea id={`${id}note`} className="control" rows={3} maxLength={2000} value={note} onChange={({ target }) => setNote(target.value)} />
        </div>
        {failure && <FailureNotice failure={failure} />}
        <Button type="submit" loading={sending} disabled={chosen === undefined}>{words.send}</Button>
      </form>
    </Drawer>
  );
}
