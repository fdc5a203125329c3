import { Button } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { AskedItem, PanelRequest } from '#prior-auth/panel-api.ts';
import { Drawer } from '../../../../ui/drawer.tsx';
import { FailureNotice } from '../../../../ui/failure-notice.tsx';
import { messages } from '../../../messages.ts';
import { AskedFor } from '../decision-items.tsx';
import { FurtherOrderList } from '../../pas-bundle/further-order-list.tsx';
import type { ActionDrawerProps } from './case-actions.tsx';
import { Labelled } from './labelled.tsx';
import { useSending } from './use-sending.ts';

interface Draft {
  readonly cancelled: boolean;
  readonly quantity: string;
  readonly unit: string;
  readonly start: string;
  readonly end: string;
}

type RequestChange = PanelRequest<'changeRequest'>['change'];

const draftOf = ({ quantity, serviced }: AskedItem): Draft => ({ cancelled: false, quantity: quantity === undefined ? '' : String(quantity.value), unit: quantity?.unit ?? '', start: serviced?.start ?? '', end: serviced?.end ?? '' });

/** Quantity or time of items, items taken out, orders added; sequences stay what they are. */
export function ChangeDrawer({ call, view, onTaken, onClose }: ActionDrawerProps): ReactNode {
  const words = messages.actions.change;
  const items = (view.asked ?? []).filter(({ cancelled }) => cancelled !== true);
  const [drafts, setDrafts] = useState<Readonly<Record<number, Draft>>>(() => Object.fromEntries(items.map((item) => [item.sequence, draftOf(item)])));
  const [added, setAdded] = useState<readonly { readonly reference: string; readonly display: string }[]>([]);
  const [choosing, setChoosing] = useState(false);
  const [problem, setProblem] = useState<string>();
  const { busy, failure, send } = useSending(onTaken);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const change = toChange(items, drafts, added.map(({ reference }) => reference));
    if (typeof change === 'string') return setProblem(words[change]);
    setProblem(undefined);
    void send(() => call('changeRequest', { caseVersion: view.case.version, change }));
  };
  return (
    <Drawer title={words.title} onClose={onClose}>
      <p>{words.intro}</p>
      <form className="stack" onSubmit={submit}>
        {items.map((item) => <ItemFields key={item.sequence} item={item} draft={drafts[item.sequence] ?? draftOf(item)} onChange={(draft) => setDrafts((before) => ({ ...before, [item.sequence]: draft }))} />)}
        {added.map(({ reference, display }) => (
          <p key={reference} className="row-apart"><span className="grow">{words.added(display)}</span><Button size="xs" variant="default" aria-label={words.dropAdded(display)} onClick={() => setAdded((before) => before.filter((each) => each.reference !== reference))}>{words.dropShort}</Button></p>
        ))}
        <div><Button size="xs" variant="default" aria-expanded={choosing} onClick={() => setChoosing((before) => !before)}>{words.add}</Button></div>
        {choosing && <FurtherOrderList call={call} withoutForms taken={added.map(({ reference }) => reference)} onAdd={(order) => { setAdded((before) => [...before, order]); setChoosing(false); }} />}
        {problem !== undefined && <p className="field-problem" role="alert">{problem}</p>}
        {failure && <FailureNotice failure={failure} />}
        <Button type="submit" loading={busy} className="wrapping-button">{words.send}</Button>
      </form>
    </Drawer>
  );
}

function ItemFields({ item, draft, onChange }: { readonly item: AskedItem; readonly draft: Draft; readonly onChange: (draft: Draft) => void }): ReactNode {
  const words = messages.actions.change;
  const text = (key: Exclude<keyof Draft, 'cancelled'>, label: string, type = 'text'): ReactNode => (
    <Labelled label={label}>{(field) => <input {...field} type={type} maxLength={50} value={draft[key]} disabled={draft.cancelled} onChange={(event) => onChange({ ...draft, [key]: event.target.value })} />}</Labelled>
  );
  return (
    <fieldset className="difference stack">
      <legend>{messages.decision.item(item.sequence)}</legend>
      <AskedFor item={item} />
      <div className="two-fields">{text('quantity', words.quantity)}{text('unit', words.unit)}</div>
      <div className="two-fields">{text('start', words.start, 'date')}{text('end', words.end, 'date')}</div>
      <label className="choice"><input type="checkbox" checked={draft.cancelled} onChange={(event) => onChange({ ...draft, cancelled: event.target.checked })} /><span className="stack-tight"><span>{words.cancelItem}</span>{draft.cancelled && <span className="small">{words.cancelHint}</span>}</span></label>
    </fieldset>
  );
}

/** Only what differs from what stands; the key of the word for what is wrong with it. */
function toChange(items: readonly AskedItem[], drafts: Readonly<Record<number, Draft>>, add: readonly string[]): RequestChange | 'nothing' | 'all' | 'badQuantity' | 'badTime' {
  const cancel: number[] = [];
  const change: RequestChange['change'] = [];
  for (const item of items) {
    const before = draftOf(item);
    const { cancelled, quantity, unit, start, end } = drafts[item.sequence] ?? before;
    if (cancelled) {
      cancel.push(item.sequence);
      continue;
    }
    const value = Number(quantity.trim().replace(',', '.'));
    const isOtherQuantity = quantity.trim() !== before.quantity || (quantity.trim() !== '' && unit.trim() !== before.unit);
    const isOtherTime = start !== before.start || end !== before.end;
    if (isOtherQuantity && !(value > 0)) return 'badQuantity';
    if (isOtherTime && ((start === '' && end === '') || (start !== '' && end !== '' && end < start))) return 'badTime';
    if (!isOtherQuantity && !isOtherTime) continue;
    change.push({
      sequence: item.sequence,
      ...(isOtherQuantity ? { quantity: { value, ...(unit.trim() === '' ? {} : { unit: unit.trim() }) } } : {}),
      ...(isOtherTime ? { serviced: start === end ? { date: start } : { period: { ...(start === '' ? {} : { start }), ...(end === '' ? {} : { end }) } } } : {}),
    });
  }
  if (cancel.length + change.length + add.length === 0) return 'nothing';
  if (cancel.length === items.length && add.length === 0) return 'all';
  return { cancel, change, add: [...add] };
}
