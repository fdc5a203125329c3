import { Button } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Drawer } from '../../../../ui/drawer.tsx';
import { FailureNotice } from '../../../../ui/failure-notice.tsx';
import { messages } from '../../../messages.ts';
import type { ActionDrawerProps } from './case-actions.tsx';
import { Labelled } from './labelled.tsx';
import { instantOf, useSending } from './use-sending.ts';

/** Goes on by hand, or corrects the number and the day of a case that is. */
export function ManualDrawer({ call, view, onTaken, onClose }: ActionDrawerProps): ReactNode {
  const words = messages.actions.manual;
  const { state } = view.case;
  const [reference, setReference] = useState(state.kind === 'manual' ? (state.reference ?? '') : '');
  const [submittedAt, setSubmittedAt] = useState(state.kind === 'manual' && state.submittedAt !== undefined ? localOf(state.submittedAt) : '');
  const { busy, failure, send } = useSending(onTaken);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const instant = instantOf(submittedAt);
    const body = { caseVersion: view.case.version, ...(reference.trim() === '' ? {} : { reference: reference.trim() }), ...(instant === undefined ? {} : { submittedAt: instant }) };
    void send(() => call(state.kind === 'manual' ? 'updateManual' : 'switchToManual', body));
  };
  return (
    <Drawer title={words.title} onClose={onClose}>
      <p>{words.intro}</p>
      <form className="stack" onSubmit={submit}>
        <Labelled label={words.reference} hint={words.referenceHint}>{(field) => <input {...field} maxLength={100} autoComplete="off" value={reference} onChange={(event) => setReference(event.target.value)} />}</Labelled>
        <Labelled label={words.submittedAt} hint={words.submittedHint}>{(field) => <input {...field} type="datetime-local" value={submittedAt} onChange={(event) => setSubmittedAt(event.target.value)} />}</Labelled>
        {failure && <FailureNotice failure={failure} />}
        <Button type="submit" loading={busy} className="wrapping-button">{words.save}</Button>
      </form>
    </Drawer>
  );
}

function localOf(instant: string): string {
  const at = new Date(instant);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}
