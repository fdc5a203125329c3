import { Button } from '@mantine/core';
import { useEffect, useState, type ReactNode } from 'react';
import type { Person } from '#prior-auth/panel-api.ts';
import type { StepResult, WorklistAction, WorklistSteps } from '#prior-auth/worklist-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { failureWords } from '../messages.ts';
import { Notice } from '../ui/tone.tsx';
import { calendarDay } from './filters.tsx';
import { messages } from './messages.ts';
import { readPeople, takeSteps } from './work-call.ts';

interface BulkBarProps {
  /** Names by case id, in the order of the list. */
  readonly selected: ReadonlyMap<string, string>;
  readonly onClear: () => void;
  readonly onDone: () => void;
}

type Outcome = { readonly results: readonly StepResult[]; readonly undone: boolean };

const PLAIN = ['hold', 'release', 'resend', 'check-now', 'switch-to-manual'] as const;

/** What is done to every selected case at once, what came of each, and the way back. */
export function BulkBar({ selected, onClear, onDone }: BulkBarProps): ReactNode {
  const words = messages.bulk;
  const [busy, setBusy] = useState(false);
  const [outcome, setOutcome] = useState<Outcome>();
  const [failure, setFailure] = useState<Failure>();
  const [names, setNames] = useState<ReadonlyMap<string, string>>(new Map());
  const run = async (steps: WorklistSteps['steps'], undone: boolean): Promise<void> => {
    setBusy(true);
    setFailure(undefined);
    setNames((before) => new Map([...before, ...selected]));
    const reply = await takeSteps(steps);
    setBusy(false);
    if (reply.kind === 'failed') return setFailure(reply.failure);
    setOutcome({ results: reply.value.results, undone });
    onDone();
  };
  const takeAll = (action: WorklistAction): void => void run([...selected.keys()].map((caseId) => ({ caseId, action })), false);
  const undo = outcome?.results.flatMap((result) => (result.kind === 'done' && result.undo ? [{ caseId: result.caseId, action: result.undo }] : [])) ?? [];
  return (
    <>
      {selected.size > 0 && (
        <section className="bulk-bar" aria-label={words.title}>
          <output className="strong">{words.selected(selected.size)}</output>
          <span className="row">
            {PLAIN.map((kind) => <Button key={kind} size="xs" variant="default" disabled={busy} onClick={() => takeAll({ kind })}>{messages.actions[kind]}</Button>)}
          </span>
          <TouchAndAssign busy={busy} onTake={takeAll} />
          <Button size="xs" variant="subtle" onClick={onClear}>{words.clear}</Button>
        </section>
      )}
      {failure && <FailureNotice failure={failure} />}
      {outcome && (
        <Notice tone={outcome.results.every(({ kind }) => kind === 'done') ? 'info' : 'warn'} live="polite">
          <p>{count(outcome, 'done') > 0 && (outcome.undone ? words.undone(count(outcome, 'done')) : words.done(count(outcome, 'done')))}{count(outcome, 'refused') > 0 && <> {words.refused(count(outcome, 'refused'))}</>}</p>
          {count(outcome, 'refused') > 0 && (
            <ul className="bullets small">
              {outcome.results.map((result) => result.kind === 'refused' && <li key={result.caseId}><span className="strong">{names.get(result.caseId) ?? result.caseId}</span>: {failureWords({ status: 409, ...result }).message}</li>)}
            </ul>
          )}
          <span className="row">
            {!outcome.undone && undo.length > 0 && <Button size="xs" variant="default" disabled={busy} onClick={() => void run(undo, true)}>{words.undo}</Button>}
            <Button size="xs" variant="subtle" onClick={() => setOutcome(undefined)}>{words.dismiss}</Button>
          </span>
        </Notice>
      )}
    </>
  );
}

function count({ results }: Outcome, kind: StepResult['kind']): number {
  return results.filter((result) => result.kind === kind).length;
}

/** A day and a person, each with its own button: choosing alone does nothing. */
export function TouchAndAssign({ busy, onTake }: { readonly busy: boolean; readonly onTake: (action: WorklistAction) => void }): ReactNode {
  const words = messages.bulk;
  const [day, setDay] = useState(() => calendarDay(7));
  const [people, setPeople] = useState<readonly Person[]>([]);
  const [to, setTo] = useState('');
  useEffect(() => {
    let current = true;
    void readPeople().then((reply) => { if (current && reply.kind === 'ok') setPeople(reply.value.people); });
    return () => { current = false; };
  }, []);
  return (
    <>
      <span className="row">
        <input type="date" className="control control-narrow" aria-label={words.touchDay} value={day} onChange={({ target }) => setDay(target.value)} />
        <Button size="xs" variant="default" disabled={busy || day === ''} onClick={() => onTake({ kind: 'set-next-touch', on: day })}>{messages.actions['set-next-touch']}</Button>
        <Button size="xs" variant="subtle" disabled={busy} onClick={() => onTake({ kind: 'set-next-touch', on: null })}>{words.noTouch}</Button>
      </span>
      <span className="row">
        <select className="control control-narrow person-choice" aria-label={words.person} value={to} onChange={({ target }) => setTo(target.value)}>
          <option value="">{words.nobody}</option>
          {people.map(({ reference, name }) => <option key={reference} value={reference}>{name}</option>)}
        </select>
        <Button size="xs" variant="default" disabled={busy} onClick={() => onTake({ kind: 'assign', to: people.find(({ reference }) => reference === to) ?? null })}>{messages.actions.assign}</Button>
      </span>
    </>
  );
}
