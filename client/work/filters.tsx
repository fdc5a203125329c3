import type { ReactNode } from 'react';
import { CASE_STEPS, type CaseStateKind } from '#prior-auth/case.ts';
import { WHO_MUST_ACT, WORKLIST_SORTS, type WorklistCounts, type WorklistQuery } from '#prior-auth/worklist-api.ts';
import { stateWords } from '../messages.ts';
import { messages } from './messages.ts';

export type QueryChange = { readonly [K in keyof WorklistQuery]?: WorklistQuery[K] | undefined };

interface FiltersProps {
  readonly query: WorklistQuery;
  readonly counts: WorklistCounts | undefined;
  /** Reference of who is signed in. */
  readonly me: string;
  readonly typed: string;
  readonly onType: (text: string) => void;
  readonly onChange: (change: QueryChange) => void;
}

const STATES = Object.keys(CASE_STEPS) as CaseStateKind[];
const CLOCKS = ['expedited', 'standard'] as const;

/** YYYY-MM-DD of the reader's calendar, `days` from now. */
export function calendarDay(days = 0): string {
  const day = new Date();
  day.setDate(day.getDate() + days);
  return `${day.getFullYear()}-${String(day.getMonth() + 1).padStart(2, '0')}-${String(day.getDate()).padStart(2, '0')}`;
}

export function Filters({ query, counts, me, typed, onType, onChange }: FiltersProps): ReactNode {
  const words = messages.filters;
  const chosen = [query.payer, query.requester, query.service, query.clock, query.mustAct].filter((value) => value !== undefined).length;
  const none = { state: undefined, wantsMore: undefined, overdue: undefined, handedOver: undefined, touchDue: undefined, assigned: undefined };
  const isNone = Object.keys(none).every((key) => query[key as keyof typeof none] === undefined);
  const today = calendarDay();
  const only = (change: QueryChange): void => onChange({ ...none, ...change });
  return (
    <div className="stack">
      <div className="filters">
        <div className="field grow">
          <label htmlFor="search">{messages.search}</label>
          <input id="search" type="search" className="control" placeholder={messages.searchHint} maxLength={100} autoComplete="off" value={typed} onChange={(event) => onType(event.target.value)} />
        </div>
        {query.endsBy === undefined && (
          <div className="field">
            <label htmlFor="sort">{messages.sort}</label>
            <select id="sort" className="control" value={query.sort} onChange={({ target }) => onChange({ sort: WORKLIST_SORTS.find((sort) => sort === target.value) ?? 'clock' })}>
              {WORKLIST_SORTS.filter((sort) => sort !== 'ends').map((sort) => <option key={sort} value={sort}>{messages.sorts[sort]}</option>)}
            </select>
          </div>
        )}
      </div>
      <details open={chosen > 0 || undefined}>
        <summary>{words.more}{chosen > 0 && <> ({chosen})</>}</summary>
        <div className="filters details-body">
          <Choose id="payer" label={words.payer} value={query.payer} options={counts?.payers ?? []} onChoose={(payer) => onChange({ payer })} />
          <Choose id="requester" label={words.requester} value={query.requester} options={counts?.requesters ?? []} onChoose={(requester) => onChange({ requester })} />
          <Choose id="service" label={words.service} value={query.service} options={counts?.services ?? []} onChoose={(service) => onChange({ service })} />
          <Choose id="clock" label={words.clock} value={query.clock} options={CLOCKS.map((value) => ({ value, name: words.clocks[value] }))} onChoose={(value) => onChange({ clock: CLOCKS.find((one) => one === value) })} />
          <Choose id="must-act" label={words.mustAct} value={query.mustAct} options={WHO_MUST_ACT.map((value) => ({ value, name: messages.mustAct[value], ...(counts ? { count: counts.mustAct[value] } : {}) }))} onChoose={(value) => onChange({ mustAct: WHO_MUST_ACT.find((one) => one === value) })} />
        </div>
      </details>
      {query.endsBy === undefined ? (
        <fieldset className="row">
          <legend className="visually-hidden">{messages.filter}</legend>
          <Chip words={messages.all} count={counts?.all} pressed={isNone} onPress={() => only({})} />
          {((counts?.wantsMore ?? 0) > 0 || query.wantsMore) && <Chip words={messages.wantsMore} count={counts?.wantsMore} pressed={query.wantsMore !== undefined} onPress={() => only({ wantsMore: 'true' })} />}
          {((counts?.overdue ?? 0) > 0 || query.overdue) && <Chip words={words.overdue} count={counts?.overdue} pressed={query.overdue !== undefined} onPress={() => only({ overdue: 'true' })} />}
          <Chip words={words.touchDue} pressed={query.touchDue !== undefined} onPress={() => only(query.touchDue === undefined ? { touchDue: today } : {})} />
          <Chip words={words.mine} pressed={query.assigned === me} onPress={() => only(query.assigned === me ? {} : { assigned: me })} />
          {((counts?.handedOver ?? 0) > 0 || query.handedOver) && <Chip words={messages.handedOver} count={counts?.handedOver} pressed={query.handedOver !== undefined} onPress={() => only(query.handedOver ? {} : { handedOver: 'true' })} />}
          {STATES.filter((state) => (counts?.states[state] ?? 0) > 0 || state === query.state).map((state) => (
            <Chip key={state} words={stateWords[state]} count={counts?.states[state] ?? 0} pressed={query.state === state} onPress={() => only({ state })} />
          ))}
        </fieldset>
      ) : (
        <fieldset className="row">
          <legend className="visually-hidden">{messages.filter}</legend>
          <Chip words={messages.all} pressed={query.endsBy === 'any'} onPress={() => onChange({ endsBy: 'any' })} />
          <Chip words={words.endsSoon} pressed={query.endsBy !== 'any'} onPress={() => onChange({ endsBy: calendarDay(30) })} />
        </fieldset>
      )}
    </div>
  );
}

interface ChooseProps {
  readonly id: string;
  readonly label: string;
  readonly value: string | undefined;
  readonly options: readonly { readonly value: string; readonly name: string; readonly count?: number }[];
  readonly onChoose: (value: string | undefined) => void;
}

function Choose({ id, label, value, options, onChoose }: ChooseProps): ReactNode {
  return (
    <div className="field filter-choice">
      <label htmlFor={id}>{label}</label>
      <select id={id} className="control" value={value ?? ''} onChange={({ target }) => onChoose(target.value === '' ? undefined : target.value)}>
        <option value="">{messages.filters.any}</option>
        {value !== undefined && !options.some((option) => option.value === value) && <option value={value}>{value}</option>}
        {options.map((option) => <option key={option.value} value={option.value}>{option.name}{option.count === undefined ? '' : ` (${option.count})`}</option>)}
      </select>
    </div>
  );
}

function Chip({ words, count, pressed, onPress }: { readonly words: string; readonly count?: number | undefined; readonly pressed: boolean; readonly onPress: () => void }): ReactNode {
  return <button type="button" className="state-filter" aria-pressed={pressed} onClick={onPress}>{words}{count !== undefined && <> <span className="number strong">{count}</span></>}</button>;
}
