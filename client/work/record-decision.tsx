import { Button } from '@mantine/core';
import { useState, type FormEvent, type ReactNode } from 'react';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { EnteredDecision } from '#prior-auth/payer-decision/entered-decision.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { textOf } from './form-text.ts';
import { messages } from './messages.ts';
import { enterDecision } from './work-call.ts';

const KINDS = ['approved', 'modified', 'denied'] as const;
const LEARNED_BY = ['telephone', 'fax', 'portal', 'letter', 'other'] as const;

/** What the payer said of a case that is handled by hand, item by item. */
export function RecordDecision({ found, onChanged }: { readonly found: PriorAuthCase; readonly onChanged: () => void }): ReactNode {
  const words = messages.entered;
  const [kinds, setKinds] = useState<Readonly<Record<number, (typeof KINDS)[number]>>>({});
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const names = [found.service, ...(found.further ?? [])].map(({ display }) => display);
  const items = itemsOf(found);
  const save = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const data = new FormData(event.currentTarget);
    const said = (name: string): string => textOf(data, name);
    setBusy(true);
    const reply = await enterDecision(found.id, {
      learnedBy: LEARNED_BY.find((one) => one === said('learned-by')) ?? 'other',
      items: items.map((sequence): EnteredDecision['items'][number] => {
        const kind = kinds[sequence] ?? 'approved';
        if (kind === 'denied') return { kind, sequence, explanation: said(`why-${sequence}`) };
        const [number, end] = [said(`number-${sequence}`), said(`end-${sequence}`)];
        const granted = { sequence, ...(number === '' ? {} : { authorizationNumber: number }), ...(end === '' ? {} : { validity: { end } }) };
        return kind === 'approved' ? { kind, ...granted } : { kind, ...granted, explanation: said(`why-${sequence}`) };
      }),
    });
    setBusy(false);
    if (reply.kind === 'failed') return setFailure(reply.failure);
    onChanged();
  };
  return (
    <details>
      <summary>{words.title}</summary>
      <form className="stack details-body" onSubmit={(event) => void save(event)}>
        <p className="small muted">{words.explained}</p>
        {items.map((sequence) => {
          const kind = kinds[sequence] ?? 'approved';
          return (
            <fieldset key={sequence} className="stack card">
              <legend className="visually-hidden">{words.item(sequence)}</legend>
              <p className="strong">{names[sequence - 1] ?? words.item(sequence)}</p>
              <div className="field">
                <label htmlFor={`kind-${sequence}`}>{words.decision}</label>
                <select id={`kind-${sequence}`} className="control" value={kind} onChange={({ target }) => setKinds((before) => ({ ...before, [sequence]: KINDS.find((one) => one === target.value) ?? 'approved' }))}>
                  {KINDS.map((one) => <option key={one} value={one}>{words.kinds[one]}</option>)}
                </select>
              </div>
              {kind !== 'denied' && (
                <>
                  <div className="field"><label htmlFor={`number-${sequence}`}>{messages.detail.number}</label><input id={`number-${sequence}`} name={`number-${sequence}`} className="control" maxLength={200} autoComplete="off" /></div>
                  <div className="field"><label htmlFor={`end-${sequence}`}>{words.validUntil}</label><input id={`end-${sequence}`} name={`end-${sequence}`} type="date" className="control" /></div>
                </>
              )}
              {kind !== 'approved' && <div className="field"><label htmlFor={`why-${sequence}`}>{words.why}</label><textarea id={`why-${sequence}`} name={`why-${sequence}`} className="control" required maxLength={2000} /></div>}
            </fieldset>
          );
        })}
        <div className="field">
          <label htmlFor="learned-by">{words.learnedBy}</label>
          <select id="learned-by" name="learned-by" className="control">{LEARNED_BY.map((one) => <option key={one} value={one}>{words.learned[one]}</option>)}</select>
        </div>
        {failure && <FailureNotice failure={failure} />}
        <div><Button size="xs" type="submit" disabled={busy}>{words.save}</Button></div>
      </form>
    </details>
  );
}

/** As the server counts them: what the payer has answered, else one for each order. */
function itemsOf({ state, further = [] }: PriorAuthCase): readonly number[] {
  const answered = state.kind === 'manual' && state.was?.kind === 'pended' ? state.was.decision.items.map(({ sequence }) => sequence) : [];
  return answered.length > 0 ? answered : [1, ...further.map((_order, index) => index + 2)];
}
