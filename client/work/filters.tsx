import { useEffect, useState, type ReactNode } from 'react';
import { CASE_STEPS, type CaseStateKind } from '#prior-auth/case.ts';
import { messages, stateWords } from './messages.ts';
import { SORTS, type WorklistQuery } from './work-call.ts';

interface FiltersProps {
  readonly query: WorklistQuery;
  readonly counts: Readonly<Partial<Record<CaseStateKind, number>>>;
  readonly onChange: (change: Partial<WorklistQuery>) => void;
}

const STATES = Object.keys(CASE_STEPS) as CaseStateKind[];
const TYPING_PAUSE_MS = 300;

export function Filters({ query, counts, onChange }: FiltersProps): ReactNode {
  const [typed, setTyped] = useState(query.q);
  useEffect(() => setTyped(query.q), [query.q]);
  useEffect(() => {
    const q = typed.trim();
    if (q === query.q) return;
    const timer = setTimeout(() => onChange({ q }), TYPING_PAUSE_MS);
    return () => clearTimeout(timer);
  }, [typed, query.q, onChange]);
  const all = Object.values(counts).reduce((sum, count) => sum + count, 0);
  return (
    <div className="stack">
      <div className="filters">
        <div className="field grow">
          <label htmlFor="search">{messages.search}</label>
          <input id="search" type="search" className="control" placeholder={messages.searchHint} maxLength={100} autoComplete="off" value={typed} onChange={(event) => setTyped(event.target.value)} />
        </div>
        <div className="field">
          <label htmlFor="sort">{messages.sort}</label>
          <select id="sort" className="control" value={query.sort} onChange={({ target }) => onChange({ sort: SORTS.find((sort) => sort === target.value) ?? 'clock' })}>
            {SORTS.map((sort) => <option key={sort} value={sort}>{messages.sorts[sort]}</option>)}
          </select>
        </div>
      </div>
      <div className="row" role="group" aria-label={messages.filter}>
        <StateFilter words={messages.all} count={all} pressed={query.state === undefined} onPress={() => onChange({ state: undefined })} />
        {STATES.filter((state) => (counts[state] ?? 0) > 0 || state === query.state).map((state) => (
          <StateFilter key={state} words={stateWords[state]} count={counts[state] ?? 0} pressed={query.state === state} onPress={() => onChange({ state })} />
        ))}
      </div>
    </div>
  );
}

function StateFilter({ words, count, pressed, onPress }: { readonly words: string; readonly count: number; readonly pressed: boolean; readonly onPress: () => void }): ReactNode {
  return <button type="button" className="state-filter" aria-pressed={pressed} onClick={onPress}>{words} <span className="number strong">{count}</span></button>;
}
