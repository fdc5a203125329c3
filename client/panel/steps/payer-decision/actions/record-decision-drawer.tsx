import { Button } from '@mantine/core';
import { useId, useState, type FormEvent, type ReactNode } from 'react';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { AskedItem, CaseView } from '#prior-auth/panel-api.ts';
import type { Entry } from '#prior-auth/payer-decision/decision.ts';
import type { EnteredDecision } from '#prior-auth/payer-decision/entered-decision.ts';
import { Drawer } from '../../../../ui/drawer.tsx';
import { FailureNotice } from '../../../../ui/failure-notice.tsx';
import { messages } from '../../../messages.ts';
import { AskedFor } from '../decision-items.tsx';
import type { ActionDrawerProps } from './case-actions.tsx';
import { Labelled } from './labelled.tsx';
import { instantOf, useSending } from './use-sending.ts';

type Kind = EnteredDecision['items'][number]['kind'];

interface Draft {
  readonly kind?: Kind;
  readonly number: string;
  readonly start: string;
  readonly end: string;
  readonly quantity: string;
  readonly unit: string;
  readonly explanation: string;
}

const EMPTY: Draft = { number: '', start: '', end: '', quantity: '', unit: '', explanation: '' };

/** What the payer said of each item by telephone, fax, web site or letter. */
export function RecordDecisionDrawer({ call, view, onTaken, onClose }: ActionDrawerProps): ReactNode {
  const words = messages.actions.record;
  const items = itemsOf(view);
  const [drafts, setDrafts] = useState<Readonly<Record<number, Draft>>>({});
  const [learnedBy, setLearnedBy] = useState<Entry['learnedBy']>('telephone');
  const [decidedAt, setDecidedAt] = useState('');
  const [note, setNote] = useState('');
  const [missing, setMissing] = useState(false);
  const { busy, failure, send } = useSending(onTaken);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const entered = items.flatMap(({ sequence }) => toEntered(sequence, drafts[sequence] ?? EMPTY) ?? []);
    setMissing(entered.length < items.length);
    if (entered.length < items.length) return;
    const instant = instantOf(decidedAt);
    void send(() => call('recordDecision', { caseVersion: view.case.version, decision: { items: entered, learnedBy, ...(instant === undefined ? {} : { decidedAt: instant }), ...(note.trim() === '' ? {} : { note: note.trim() }) } }));
  };
  return (
    <Drawer title={words.title} onClose={onClose}>
      <p>{words.intro}</p>
      <form className="stack" onSubmit={submit}>
        {items.map((item) => <ItemFields key={item.sequence} item={item} draft={drafts[item.sequence] ?? EMPTY} onChange={(draft) => setDrafts((before) => ({ ...before, [item.sequence]: draft }))} />)}
        <Labelled label={words.learnedBy}>
          {(field) => <select {...field} value={learnedBy} onChange={(event) => setLearnedBy(event.target.value as Entry['learnedBy'])}>{Object.entries(words.learned).map(([value, label]) => <option key={value} value={value}>{label}</option>)}</select>}
        </Labelled>
        <Labelled label={words.decidedAt}>{(field) => <input {...field} type="datetime-local" value={decidedAt} onChange={(event) => setDecidedAt(event.target.value)} />}</Labelled>
        <Labelled label={words.note}>{(field) => <input {...field} maxLength={500} value={note} onChange={(event) => setNote(event.target.value)} />}</Labelled>
        {missing && <p className="field-problem" role="alert">{words.missing}</p>}
        {failure && <FailureNotice failure={failure} />}
        <Button type="submit" loading={busy} className="wrapping-button">{words.save}</Button>
      </form>
    </Drawer>
  );
}

function ItemFields({ item, draft, onChange }: { readonly item: AskedItem; readonly draft: Draft; readonly onChange: (draft: Draft) => void }): ReactNode {
  const words = messages.actions.record;
  const name = useId();
  const text = (key: Exclude<keyof Draft, 'kind'>, label: string, type = 'text'): ReactNode => (
    <Labelled label={label}>{(field) => <input {...field} type={type} maxLength={200} value={draft[key]} onChange={(event) => onChange({ ...draft, [key]: event.target.value })} />}</Labelled>
  );
  return (
    <fieldset className="difference stack">
      <legend>{messages.decision.item(item.sequence)}</legend>
      <AskedFor item={item} />
      <div className="choices" role="radiogroup" aria-label={words.kind}>
        {(['approved', 'modified', 'denied'] as const).map((kind) => (
          <label key={kind} className="choice"><input type="radio" name={name} checked={draft.kind === kind} onChange={() => onChange({ ...draft, kind })} /><span>{words.kinds[kind]}</span></label>
        ))}
      </div>
      {(draft.kind === 'approved' || draft.kind === 'modified') && (
        <>
          {text('number', words.number)}
          <div className="two-fields">{text('start', words.start, 'date')}{text('end', words.end, 'date')}</div>
          <div className="two-fields">{text('quantity', words.quantity)}{text('unit', words.unit)}</div>
        </>
      )}
      {(draft.kind === 'denied' || draft.kind === 'modified') && (
        <Labelled label={draft.kind === 'denied' ? words.reason : words.changes}>{(field) => <textarea {...field} maxLength={2000} value={draft.explanation} onChange={(event) => onChange({ ...draft, explanation: event.target.value })} />}</Labelled>
      )}
    </fieldset>
  );
}

/** As the server asks for them: those that the payer answered already, else one for each order. */
function itemsOf({ case: priorAuthCase, asked = [] }: CaseView): readonly AskedItem[] {
  const { state } = priorAuthCase;
  const answered = state.kind === 'manual' && state.was?.kind === 'pended' ? state.was.decision.items.map(({ sequence }) => sequence) : [];
  const orders = ordersOf(priorAuthCase);
  if (answered.length === 0) return orders;
  return answered.map((sequence) => asked.find((item) => item.sequence === sequence) ?? orders.find((item) => item.sequence === sequence) ?? { sequence, display: messages.decision.item(sequence) });
}

function ordersOf({ service, further = [] }: PriorAuthCase): readonly AskedItem[] {
  return [service, ...further].map(({ display, codings: [coding], quantity }, index) => ({ sequence: index + 1, display, ...(coding ? { code: coding.code } : {}), ...(quantity ? { quantity } : {}) }));
}

function toEntered(sequence: number, { kind, number, start, end, quantity, unit, explanation }: Draft): EnteredDecision['items'][number] | undefined {
  const said = explanation.trim();
  if (kind === undefined || (kind !== 'approved' && said === '')) return undefined;
  if (kind === 'denied') return { kind, sequence, explanation: said };
  const value = Number(quantity.trim().replace(',', '.'));
  if (quantity.trim() !== '' && !(value > 0)) return undefined;
  const granted = {
    ...(number.trim() === '' ? {} : { authorizationNumber: number.trim() }),
    ...(start === '' && end === '' ? {} : { validity: { ...(start === '' ? {} : { start }), ...(end === '' ? {} : { end }) } }),
    ...(quantity.trim() === '' ? {} : { quantity: { value, ...(unit.trim() === '' ? {} : { unit: unit.trim().slice(0, 50) }) } }),
  };
  return kind === 'approved' ? { kind, sequence, ...granted } : { kind, sequence, ...granted, explanation: said };
}
