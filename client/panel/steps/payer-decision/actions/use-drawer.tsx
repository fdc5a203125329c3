import { Button } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import { Drawer } from '../../../../ui/drawer.tsx';
import { FailureNotice } from '../../../../ui/failure-notice.tsx';
import { messages } from '../../../messages.ts';
import type { ActionDrawerProps } from './case-actions.tsx';
import { Labelled } from './labelled.tsx';
import { useSending } from './use-sending.ts';

/** Units that were provided under an authorization. */
export function UseDrawer({ call, view, onTaken, onClose }: ActionDrawerProps): ReactNode {
  const words = messages.actions.use;
  const lines = view.authorizations ?? [];
  const [sequence, setSequence] = useState(lines[0]?.sequence ?? 1);
  const [quantity, setQuantity] = useState('');
  const [usedOn, setUsedOn] = useState('');
  const [note, setNote] = useState('');
  const [bad, setBad] = useState(false);
  const { busy, failure, send } = useSending(onTaken);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const value = Number(quantity.trim().replace(',', '.'));
    const isBad = !Number.isFinite(value) || value === 0 || quantity.trim() === '' || usedOn === '';
    setBad(isBad);
    if (isBad) return;
    void send(() => call('recordUse', { caseVersion: view.case.version, sequence, quantity: value, usedOn, ...(note.trim() === '' ? {} : { note: note.trim() }) }));
  };
  return (
    <Drawer title={words.title} onClose={onClose}>
      <form className="stack" onSubmit={submit}>
        {lines.length > 1 && (
          <Labelled label={words.line}>
            {(field) => <select {...field} value={sequence} onChange={(event) => setSequence(Number(event.target.value))}>{lines.map((line) => <option key={line.sequence} value={line.sequence}>{[view.asked?.find((item) => item.sequence === line.sequence)?.display ?? messages.decision.item(line.sequence), line.number].filter(Boolean).join(' · ')}</option>)}</select>}
          </Labelled>
        )}
        <Labelled label={words.quantity} hint={words.hint}>{(field) => <input {...field} inputMode="decimal" maxLength={12} value={quantity} onChange={(event) => setQuantity(event.target.value)} />}</Labelled>
        <Labelled label={words.usedOn}>{(field) => <input {...field} type="date" value={usedOn} onChange={(event) => setUsedOn(event.target.value)} />}</Labelled>
        <Labelled label={words.note}>{(field) => <input {...field} maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />}</Labelled>
        {bad && <p className="field-problem" role="alert">{words.bad}</p>}
        {failure && <FailureNotice failure={failure} />}
        <Button type="submit" loading={busy} className="wrapping-button">{words.save}</Button>
      </form>
    </Drawer>
  );
}
