import type { ReactNode } from 'react';
import { CASE_STEPS, type CaseStateKind } from '#prior-auth/case.ts';
import { stateWords } from '../messages.ts';
import { messages } from './messages.ts';
import { SORTS, type WorklistQuery } from './work-call.ts';

interface FiltersProps {
  readonly query: WorklistQuery;
  readonly counts: Readonly<Partial<Record<CaseStateKind, number>>>;
  /** Cases in a colleague's hands. */
  readonly handedOver: number;
  readonly typed: string;
  readonly onType: (text: string) => void;
  readonly onChange: (change: Partial<WorklistQuery>) => void;
}

const STATES = Object.keys(CASE_STEPS) as CaseStateKind[];

export function Filters({ query, counts, handedOver, typed, onType, onChange }: FiltersProps): ReactNode {
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return (
    <div className="stack">
      <div className="filters">
        <div className="field grow">
          <label htmlFor="search">{messages.search}</label>
          <input id="search" type="search" className="control" placeholder={messages.searchHint} maxLength={100} autoComplete="off" value={typed} onChange={(event) => onType(event.target.value)} />
        </div>
        <div className="field">
          <label htmlFor="sort">{messages.sort}</label>
          <select id="sort" className="control" value={query.sort} onChange={({ target }) => onChange({ sort: SORTS.find((sort) => sort === target.value) ?? 'clock' })}>
            {SORTS.map((sort) => <option key={sort} value={sort}>{messages.sorts[sort]}</option>)}
          </select>
        </div>
      </div>
      <fieldset className="row">
        <legend className="visually-hidden">{messages.filter}</legend>
        <StateFilter words={messages.all} count={all} pressed={query.state === undefined && !query.handedOver} onPress={() => onChange({ state: undefined, handedOver: false })} />
        {(handedOver > 0 || query.handedOver) && <StateFilter words={messages.handedOver} count={handedOver} pressed={query.handedOver} onPress={() => onChange({ state: undefined, handedOver: !query.handedOver })} />}
        {STATES.filter((state) => (counts[state] ?? 0) > 0 || state === query.state).map((state) => (
          <StateFilter key={state} words={stateWords[state]} count={counts[state] ?? 0} pressed={query.state === state} onPress={() => onChange({ state, handedOver: false })} />
        ))}
      </fieldset>
    </div>
  );
}

function StateFilter({ words, count, pressed, onPress }: { readonly words: string; readonly count: number; readonly pressed: boolean; readonly onPress: () => void }): ReactNode {
  return <button type="button" className="state-filter" aria-pressed={pressed} onClick={onPress}>{words} <span className="number strong">{count}</span></button>;
}
