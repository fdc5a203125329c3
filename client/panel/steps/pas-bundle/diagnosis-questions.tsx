import { Button } from '@mantine/core';
import { useId, useState, type FormEvent, type ReactNode } from 'react';
import type { SubmissionReview } from '#prior-auth/panel-api.ts';
import type { DiagnosisQuestion, SubmissionProblem } from '#prior-auth/pas-bundle/submission-input.ts';
import { messages } from '../../messages.ts';

const ICD10CM = /^[A-Z]\d[0-9A-Z](\.?[0-9A-Z]{1,4})?$/;
const OTHER = '';

interface DiagnosisQuestionsProps {
  readonly problems: readonly SubmissionProblem[];
  readonly disabled: boolean;
  readonly onAnswer: (reason: string, code: string) => void;
}

/** Reasons that have no ICD-10-CM code: a person says which one each is. */
export function DiagnosisQuestions({ problems, disabled, onAnswer }: DiagnosisQuestionsProps): ReactNode {
  return problems.flatMap(({ diagnosis }) => (diagnosis ? [<Question key={diagnosis.reason} question={diagnosis} disabled={disabled} onAnswer={(code) => onAnswer(diagnosis.reason, code)} />] : []));
}

function Question({ question: { display, candidates }, disabled, onAnswer }: { readonly question: DiagnosisQuestion; readonly disabled: boolean; readonly onAnswer: (code: string) => void }): ReactNode {
  const words = messages.review.diagnosis;
  const id = useId();
  const [picked, setPicked] = useState<string | undefined>(candidates.length === 0 ? OTHER : undefined);
  const [typed, setTyped] = useState('');
  const [invalid, setInvalid] = useState(false);
  const submit = (event: FormEvent): void => {
    event.preventDefault();
    const code = picked === OTHER ? typed.trim().toUpperCase() : picked;
    if (code === undefined || !ICD10CM.test(code)) return setInvalid(true);
    setInvalid(false);
    onAnswer(code);
  };
  return (
    <form className="card stack diagnosis-question" data-tone="warn" onSubmit={submit}>
      <fieldset className="field" aria-describedby={`${id}-hint`}>
        <legend>{words.title(display)}</legend>
        <p className="small" id={`${id}-hint`}>{words.hint}</p>
        {candidates.length > 0 && (
          <div className="choices">
            {candidates.map((candidate) => (
              <label key={candidate.code} className="choice">
                <input type="radio" name={id} checked={picked === candidate.code} onChange={() => setPicked(candidate.code)} />
                <span><span className="number strong">{candidate.code}</span> {candidate.display}</span>
              </label>
            ))}
            <label className="choice"><input type="radio" name={id} checked={picked === OTHER} onChange={() => setPicked(OTHER)} /><span>{words.other}</span></label>
          </div>
        )}
      </fieldset>
      {picked === OTHER && (
        <div className="field">
          <label htmlFor={`${id}-code`}>{words.otherCode}</label>
          <input id={`${id}-code`} className="control" autoComplete="off" spellCheck={false} maxLength={10} value={typed} aria-invalid={invalid || undefined} aria-describedby={invalid ? `${id}-problem` : undefined} onChange={(event) => setTyped(event.target.value)} />
        </div>
      )}
      {invalid && <p className="field-problem" id={`${id}-problem`} role="alert">{words.invalid}</p>}
      <div><Button type="submit" size="xs" disabled={disabled || picked === undefined}>{words.use}</Button></div>
    </form>
  );
}

interface ChosenDiagnosesProps {
  readonly review: SubmissionReview;
  readonly disabled: boolean;
  readonly onChange: (diagnoses: Readonly<Record<string, string>>) => void;
}

export function ChosenDiagnoses({ review: { chosen, resources }, disabled, onChange }: ChosenDiagnosesProps): ReactNode {
  const words = messages.review.diagnosis;
  const entries = Object.entries(chosen.diagnoses);
  if (entries.length === 0) return null;
  return (
    <section className="card stack-tight" aria-labelledby="review-diagnoses">
      <h3 id="review-diagnoses">{words.chosenTitle}</h3>
      <ul className="sent-resources">
        {entries.map(([reason, code]) => (
          <li key={reason} className="row-apart">
            <span className="grow">{resources.find(({ reference }) => reference === reason)?.display ?? reason.split('|').at(-1)}<br /><span className="small muted">{words.chosen(code)}</span></span>
            <Button size="xs" variant="default" disabled={disabled} aria-label={words.change(code)} onClick={() => onChange(Object.fromEntries(entries.filter(([other]) => other !== reason)))}>{words.changeShort}</Button>
          </li>
        ))}
      </ul>
    </section>
  );
}
