import { Button } from '@mantine/core';
import { useId, useState, type FormEvent, type ReactNode } from 'react';
import type { PanelReplies } from '#prior-auth/panel-api.ts';
import type { Failure } from '../../../ui/call-json.ts';
import { Drawer } from '../../../ui/drawer.tsx';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { showDate } from '../../../ui/fhir-date.ts';
import { Loading } from '../../../ui/loading.tsx';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';

interface AddEntriesDrawerProps {
  readonly call: PanelCall;
  /** References that go already. */
  readonly sent: readonly string[];
  readonly onAdd: (references: readonly string[]) => void;
  readonly onClose: () => void;
}

/** Entries of this patient's record by kind and words; documents first, because they are what payers ask for most. */
export function AddEntriesDrawer({ call, sent, onAdd, onClose }: AddEntriesDrawerProps): ReactNode {
  const words = messages.review.entries;
  return <Drawer title={words.title} onClose={onClose}><p className="small muted">{words.intro}</p><EntrySearch call={call} sent={sent} onAdd={(reference) => onAdd([reference])} /></Drawer>;
}

interface EntrySearchProps {
  readonly call: PanelCall;
  readonly sent: readonly string[];
  readonly onAdd: (reference: string, display: string) => void;
}

export function EntrySearch({ call, sent, onAdd }: EntrySearchProps): ReactNode {
  const words = messages.review.entries;
  const kinds: Readonly<Record<string, string>> = words.kinds;
  const id = useId();
  const [types, setTypes] = useState('DocumentReference');
  const [filter, setFilter] = useState('');
  const [found, setFound] = useState<PanelReplies['searchReferences']>();
  const [failure, setFailure] = useState<Failure>();
  const [searching, setSearching] = useState(false);
  const search = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    event.stopPropagation();
    setSearching(true);
    setFailure(undefined);
    const reply = await call('searchReferences', { types, filter });
    setSearching(false);
    if (reply.kind === 'ok') setFound(reply.value);
    else setFailure(reply.failure);
  };
  return (
    <div className="stack">
      <search><form className="stack" onSubmit={(event) => void search(event)}>
        <div className="field">
          <label htmlFor={`${id}-kind`}>{words.kind}</label>
          <select id={`${id}-kind`} className="control" value={types} onChange={(event) => setTypes(event.target.value)}>
            {Object.entries(kinds).map(([value, label]) => <option key={value} value={value}>{label}</option>)}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}-words`}>{words.filter}</label>
          <input id={`${id}-words`} className="control" type="search" maxLength={100} value={filter} onChange={(event) => setFilter(event.target.value)} />
        </div>
        <div><Button type="submit" size="xs" loading={searching}>{words.search}</Button></div>
      </form></search>
      {failure && <FailureNotice failure={failure} />}
      {searching && <Loading>{words.searching}</Loading>}
      <output>
        {found?.references.length === 0 && <p>{words.none}</p>}
      </output>
      {found && found.references.length > 0 && (
        <ul className="sent-resources">
          {found.references.map(({ reference, display, date }) => (
            <li key={reference} className="row-apart">
              <div className="grow"><p>{display}</p><p className="small muted number">{date === undefined ? words.undated : showDate(date)} · {reference.split('/')[0]}</p></div>
              {sent.includes(reference) ? <span className="small muted">{words.added}</span> : <Button size="xs" variant="default" aria-label={words.addOf(display)} onClick={() => onAdd(reference, display)}>{words.add}</Button>}
            </li>
          ))}
        </ul>
      )}
      {found?.more === true && <p className="small muted">{words.more}</p>}
    </div>
  );
}
