import { Button } from '@mantine/core';
import { useCallback, useState, type FormEvent, type ReactNode } from 'react';
import { APPEAL_RESULTS, OVERRIDE_LABELS } from '#prior-auth/learning/labels.ts';
import type { LabelView } from '#prior-auth/learning/labels-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Loading } from '../ui/loading.tsx';
import { useLoad } from '../ui/use-load.ts';
import { textOf } from './form-text.ts';
import { messages } from './messages.ts';
import { enterAppealResult, enterLabelOverride, readLabels } from './work-call.ts';

/** How an appeal of a decided request ended, and what a reviewer says of the decision: the denial-risk model learns from it. */
export function CaseLabels({ caseId, onChanged }: { readonly caseId: string; readonly onChanged: () => void }): ReactNode {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary>{messages.labels.title}</summary>
      {open && <Labels caseId={caseId} onChanged={onChanged} />}
    </details>
  );
}

function Labels({ caseId, onChanged }: { readonly caseId: string; readonly onChanged: () => void }): ReactNode {
  const words = messages.labels;
  const { value, failure, loading, reload } = useLoad(useCallback(() => readLabels(caseId), [caseId]));
  const saved = (): void => {
    reload();
    onChanged();
  };
  if (failure) return <FailureNotice failure={failure} onRetry={reload} />;
  if (value === undefined) return loading ? <Loading>{words.loading}</Loading> : null;
  const sequences = [...new Set(value.labels.map(({ sequence }) => sequence))];
  return (
    <div className="stack details-body">
      <p className="small muted">{words.explained}</p>
      {sequences.length === 0 ? <p>{words.none}</p> : (
        <>
          <ol className="timeline">{value.labels.map((label) => <Version key={`${label.sequence}-${label.version}`} label={label} />)}</ol>
          <NewLabel caseId={caseId} labels={value.labels} sequences={sequences} onSaved={saved} />
        </>
      )}
    </div>
  );
}

function Version({ label: { sequence, cause, label, recordedAt, recordedBy, why, learned, simulated } }: { readonly label: LabelView }): ReactNode {
  const words = messages.labels;
  return (
    <li>
      <p>{words.item(sequence)}: {words.causes[cause]}, <span className="strong">{words.kinds[label]}</span>{simulated && ` (${words.simulated})`}</p>
      {why !== null && <p className="small">{why}</p>}
      <p className="small muted number">{showDate(recordedAt)} · {recordedBy === 'payer' ? words.payer : recordedBy}{learned && ` · ${words.learned}`}</p>
    </li>
  );
}

interface NewLabelProps {
  readonly caseId: string;
  readonly labels: readonly LabelView[];
  readonly sequences: readonly number[];
  readonly onSaved: () => void;
}

function NewLabel({ caseId, labels, sequences, onSaved }: NewLabelProps): ReactNode {
  const words = messages.labels;
  const [sequence, setSequence] = useState(sequences[0] ?? 1);
  const [what, setWhat] = useState<'appeal' | 'override'>('appeal');
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const wasDenied = labels.some((each) => each.sequence === sequence && each.label === 'denied' && each.cause !== 'override');
  const kind = wasDenied ? what : 'override';
  const save = async (event: FormEvent<HTMLFormElement>): Promise<void> => {
    event.preventDefault();
    const form = event.currentTarget;
    const data = new FormData(form);
    const [said, why] = [textOf(data, 'label-said'), textOf(data, 'label-why')];
    setBusy(true);
    const reply = kind === 'appeal'
      ? await enterAppealResult(caseId, { sequence, result: APPEAL_RESULTS.find((one) => one === said) ?? 'upheld', decidedOn: textOf(data, 'label-day'), why })
      : await enterLabelOverride(caseId, { sequence, label: OVERRIDE_LABELS.find((one) => one === said) ?? 'excluded', why });
    setBusy(false);
    if (reply.kind === 'failed') return setFailure(reply.failure);
    setFailure(undefined);
    form.reset();
    onSaved();
  };
  return (
    <form className="stack card" onSubmit={(event) => void save(event)}>
      {sequences.length > 1 && (
        <div className="field">
          <label htmlFor="label-item">{words.which}</label>
          <select id="label-item" className="control" value={sequence} onChange={({ target }) => setSequence(Number(target.value))}>{sequences.map((one) => <option key={one} value={one}>{words.item(one)}</option>)}</select>
        </div>
      )}
      {wasDenied && (
        <div className="field">
          <label htmlFor="label-what">{words.what}</label>
          <select id="label-what" className="control" value={what} onChange={({ target }) => setWhat(target.value === 'override' ? 'override' : 'appeal')}>
            <option value="appeal">{words.appealEnded}</option>
            <option value="override">{words.override}</option>
          </select>
        </div>
      )}
      <div className="field">
        <label htmlFor="label-said">{kind === 'appeal' ? words.result : words.shouldBe}</label>
        <select id="label-said" name="label-said" className="control" key={kind}>{(kind === 'appeal' ? APPEAL_RESULTS : OVERRIDE_LABELS).map((one) => <option key={one} value={one}>{words.kinds[one]}</option>)}</select>
      </div>
      {kind === 'appeal' && <div className="field"><label htmlFor="label-day">{words.decidedOn}</label><input id="label-day" name="label-day" type="date" className="control" required /></div>}
      <div className="field"><label htmlFor="label-why">{words.why}</label><textarea id="label-why" name="label-why" className="control" required maxLength={2000} /></div>
      {failure && <FailureNotice failure={failure} />}
      <div><Button size="xs" type="submit" disabled={busy}>{words.save}</Button></div>
    </form>
  );
}
