import { Button } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { Loading } from '../ui/loading.tsx';
import { useReturningFocus } from '../ui/returning-focus.ts';
import { useLoad } from '../ui/use-load.ts';
import { BeforeSigning } from './before-signing.tsx';
import { ehr, type AcceptedSuggestion, type CatalogItem, type ChartEntry, type Signed } from './ehr-api.ts';
import { messages } from './messages.ts';
import { newOrder, type OrderEntry, useSelection } from './use-selection.ts';

interface OrderFormProps {
  readonly patientId: string;
  readonly conditions: readonly ChartEntry[];
  readonly onSigned: (signed: Signed) => void;
  readonly onDrafted: () => void;
  /** Why the order written last could not be signed: it is kept all the same. */
  readonly unsigned: Failure | undefined;
  readonly onUnsigned: (failure: Failure) => void;
  readonly onLaunch: (launchUrl: string) => void;
}

const EMPTY: OrderEntry = { catalogId: '', quantity: '', priority: 'routine', reason: '', note: '' };

export function OrderForm({ patientId, conditions, onSigned, onDrafted, unsigned, onUnsigned, onLaunch }: OrderFormProps): ReactNode {
  const words = messages.order;
  const catalog = useLoad(ehr.catalog);
  const [entry, setEntry] = useState(EMPTY);
  const [tried, setTried] = useState(false);
  const [working, setWorking] = useState<'signing' | 'saving'>();
  const [failure, setFailure] = useState<Failure>();
  const selection = useSelection(patientId, entry);
  const pressed = useReturningFocus(working !== undefined);
  const put = (change: Partial<typeof EMPTY>): void => setEntry((before) => ({ ...before, ...change }));
  const chosen = catalog.value?.items.find((item) => item.id === entry.catalogId);
  const quantity = entry.quantity.trim() === '' ? undefined : Number(entry.quantity);
  const badQuantity = quantity !== undefined && !(quantity > 0);
  const incomplete = entry.catalogId === '' || badQuantity;

  const empty = (): void => {
    setEntry(EMPTY);
    setTried(false);
    selection.forget();
  };

  const submit = async (sign: boolean): Promise<void> => {
    setTried(true);
    setFailure(undefined);
    if (incomplete) return document.getElementById(badQuantity && entry.catalogId !== '' ? 'order-quantity' : 'order-what')?.focus();
    pressed();
    setWorking(sign ? 'signing' : 'saving');
    const id = selection.id();
    const written = await ehr.order(patientId, { ...newOrder(entry, quantity), ...(id === undefined ? {} : { id }) });
    const signed = written.kind === 'ok' && sign ? await ehr.sign(written.value.order) : undefined;
    setWorking(undefined);
    if (written.kind === 'failed') return setFailure(written.failure);
    empty();
    if (signed?.kind === 'ok') return onSigned(signed.value);
    if (signed?.kind === 'failed') return onUnsigned(signed.failure);
    onDrafted();
  };

  /** A suggestion that wrote or replaced the order itself leaves nothing to sign here: it stands in the list of orders. */
  const accepted = ({ written, removed }: AcceptedSuggestion): void => {
    if (selection.selected && [...written, ...removed].includes(selection.selected.order)) {
      empty();
      document.getElementById('chart-orders')?.focus();
    }
    onDrafted();
  };

  return (
    <>
      <form className="card stack" aria-labelledby="order-form" noValidate onSubmit={(event) => { event.preventDefault(); void submit(true); }}>
        <h2 id="order-form">{words.title}</h2>
        {catalog.failure && <FailureNotice failure={catalog.failure} onRetry={catalog.reload} />}
        {catalog.loading && catalog.value === undefined && <Loading>{messages.loading}</Loading>}
        {catalog.value?.items.length === 0 && <p>{words.catalogEmpty}</p>}
        <div className="field">
          <label htmlFor="order-what">{words.what}</label>
          <select id="order-what" className="control" required value={entry.catalogId} aria-invalid={(tried && entry.catalogId === '') || undefined} aria-describedby="order-what-problem" onChange={({ target }) => put({ catalogId: target.value, quantity: suggested(catalog.value?.items.find((item) => item.id === target.value)) })}>
            <option value="">{words.choose}</option>
            {catalog.value?.items.map((item) => <option key={item.id} value={item.id}>{item.display} ({item.code.code})</option>)}
          </select>
          <p id="order-what-problem" className="field-problem" role="alert">{tried && entry.catalogId === '' && words.missingWhat}</p>
        </div>
        <div className="order-row">
          <div className="field">
            <label htmlFor="order-quantity">{words.quantity(unitOf(chosen))}</label>
            <input id="order-quantity" className="control" inputMode="decimal" autoComplete="off" value={entry.quantity} aria-invalid={badQuantity || undefined} aria-describedby="order-quantity-problem" onChange={({ target }) => put({ quantity: target.value })} />
            <p id="order-quantity-problem" className="field-problem" role="alert">{badQuantity && words.badQuantity}</p>
          </div>
          <div className="field">
            <label htmlFor="order-priority">{words.priority}</label>
            <select id="order-priority" className="control" value={entry.priority} onChange={({ target }) => put({ priority: target.value })}>
              {Object.entries(words.priorities).map(([code, label]) => <option key={code} value={code}>{label}</option>)}
            </select>
          </div>
        </div>
        <div className="field">
          <label htmlFor="order-reason">{words.reason}</label>
          <select id="order-reason" className="control" value={entry.reason} disabled={conditions.length === 0} aria-describedby="order-reason-note" onChange={({ target }) => put({ reason: target.value })}>
            <option value="">{words.noReason}</option>
            {conditions.map((condition) => <option key={condition.reference} value={condition.reference}>{condition.display}</option>)}
          </select>
          {conditions.length === 0 && <p id="order-reason-note" className="small muted">{words.noConditions}</p>}
        </div>
        <div className="field">
          <label htmlFor="order-note">{words.note}</label>
          <textarea id="order-note" className="control" maxLength={2000} value={entry.note} onChange={({ target }) => put({ note: target.value })} />
        </div>
        {failure && <FailureNotice failure={failure} />}
        {unsigned && <FailureNotice failure={unsigned} nextStep={words.notSigned} />}
        <div className="row">
          <Button type="submit" loading={working === 'signing'} disabled={working === 'saving'}>{words.signNow}</Button>
          <Button variant="default" loading={working === 'saving'} disabled={working === 'signing'} onClick={() => void submit(false)}>{words.saveDraft}</Button>
          <output className="small muted">{working === 'signing' && words.signing}</output>
        </div>
      </form>
      <BeforeSigning patientId={patientId} selected={selection.selected} onLaunch={onLaunch} onAccepted={accepted} />
    </>
  );
}

function unitOf(item: CatalogItem | undefined): string {
  return (typeof item?.suggestedQuantity === 'object' && item.suggestedQuantity?.unit) || '';
}

function suggested(item: CatalogItem | undefined): string {
  const quantity = item?.suggestedQuantity;
  const value = typeof quantity === 'object' ? quantity?.value : quantity;
  return value === undefined ? '' : String(value);
}
