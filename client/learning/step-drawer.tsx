import { Button } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { Failure, Reply } from '../ui/call-json.ts';
import { Drawer } from '../ui/drawer.tsx';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { messages } from './messages.ts';

interface StepDrawerProps {
  readonly title: string;
  readonly explained?: string;
  readonly submit: string;
  readonly whyLabel?: string;
  /** A number asked for beside the reason. */
  readonly number?: { readonly label: string; readonly first: number; readonly least: number; readonly most: number; readonly step: number };
  readonly take: (why: string, number: number) => Promise<Reply<unknown>>;
  readonly onClose: () => void;
  /** The step was taken, or was refused for something that the page does not show yet. */
  readonly onDone: () => void;
}

/** A step that changes what is served or told: asked for once more, with the reason that is kept. */
export function StepDrawer({ title, explained, submit, whyLabel = messages.models.why, number, take, onClose, onDone }: StepDrawerProps): ReactNode {
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const send = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const said = new FormData(event.currentTarget);
    const why = said.get('why');
    setBusy(true);
    setFailure(undefined);
    const reply = await take(typeof why === 'string' ? why.trim() : '', Number(said.get('number')));
    setBusy(false);
    onDone();
    if (reply.kind === 'failed') setFailure(reply.failure);
    else onClose();
  };
  return (
    <Drawer title={title} onClose={onClose}>
      <form className="stack" onSubmit={(event) => void send(event)}>
        {explained !== undefined && <p>{explained}</p>}
        {number && (
          <div className="field">
            <label htmlFor="step-number">{number.label}</label>
            <input id="step-number" name="number" type="number" className="control control-narrow" required defaultValue={number.first} min={number.least} max={number.most} step={number.step} />
          </div>
        )}
        <div className="field">
          <label htmlFor="step-why">{whyLabel}</label>
          <textarea id="step-why" name="why" className="control" required maxLength={500} aria-describedby="step-why-hint" />
          <p id="step-why-hint" className="small muted">{messages.models.whyHint}</p>
        </div>
        {failure && <FailureNotice failure={failure} />}
        <div className="row">
          <Button type="submit" size="xs" loading={busy}>{submit}</Button>
          <Button size="xs" variant="default" onClick={onClose}>{messages.models.cancel}</Button>
        </div>
      </form>
    </Drawer>
  );
}
