import { Button } from '@mantine/core';
import { useCallback, useEffect, useState, type ReactNode } from 'react';
import type { CaseView, ReviewChoices, SubmissionReview } from '#prior-auth/panel-api.ts';
import type { SubmissionProblem } from '#prior-auth/pas-bundle/submission-input.ts';
import { failureWords } from '../../../messages.ts';
import type { Failure } from '../../../ui/call-json.ts';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { FocusHeading } from '../../../ui/focus-heading.tsx';
import { Loading } from '../../../ui/loading.tsx';
import { Notice } from '../../../ui/tone.tsx';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';
import { ChosenDiagnoses, DiagnosisQuestions } from './diagnosis-questions.tsx';
import { RequestItems } from './request-items.tsx';
import { SentEntries } from './sent-entries.tsx';

interface ReviewStepProps {
  readonly call: PanelCall;
  readonly view: CaseView;
  readonly onBack: () => void;
  readonly onChanged: (view: CaseView) => void;
  readonly onSent: (view: CaseView) => void;
}

/** What a person changes on this screen; what is not named stays. */
export type ReviewChange = Partial<ReviewChoices> & { readonly further?: readonly string[] };

/** Everything that would leave, before it leaves. Nobody has to look through it. */
export function ReviewStep({ call, view, onBack, onChanged, onSent }: ReviewStepProps): ReactNode {
  const words = messages.review;
  const payer = view.case.payer.name;
  const { review, failure, busy, changed, change, send, load } = useReview({ call, view, onChanged, onSent });
  const stopped = review === undefined || review.problems.length > 0;
  return (
    <section className="stack" aria-labelledby="review-title">
      <div id="review-title"><FocusHeading>{words.title}</FocusHeading></div>
      <p className="muted">{words.intro(payer)}</p>
      {review === undefined && failure === undefined && <Loading>{words.loading}</Loading>}
      {changed && <Notice tone="warn" live="assertive"><p>{words.changed}</p></Notice>}
      {review && (
        <>
          <Problems problems={review.problems} onCheckAgain={() => void load()} />
          <DiagnosisQuestions problems={review.problems} disabled={busy !== undefined} onAnswer={(reason, code) => void change({ diagnoses: { ...review.chosen.diagnoses, [reason]: code } })} />
          {(review.warnings?.length ?? 0) > 0 && <Notice tone="warn"><p className="strong">{words.warnings}</p><ul className="bullets">{review.warnings?.map(({ code, message }) => <li key={`${code} ${message}`}>{message}</li>)}</ul></Notice>}
          <RequestItems call={call} priorAuthCase={view.case} review={review} disabled={busy !== undefined} onChange={(further) => void change({ further })} />
          <ChosenDiagnoses review={review} disabled={busy !== undefined} onChange={(diagnoses) => void change({ diagnoses })} />
          <SentEntries call={call} review={review} disabled={busy !== undefined} onChange={(choices) => void change(choices)} />
        </>
      )}
      {failure && <FailureNotice failure={failure} onRetry={() => void load()} />}
      {busy === 'choosing' && <Loading>{words.saving}</Loading>}
      <div className="stack action-bar">
        <Button fullWidth loading={busy === 'sending'} disabled={stopped || busy !== undefined} onClick={() => void send()} className="wrapping-button">{words.send(payer)}</Button>
        <Button fullWidth variant="default" disabled={busy === 'sending'} onClick={onBack}>{words.back}</Button>
      </div>
    </section>
  );
}

function Problems({ problems, onCheckAgain }: { readonly problems: readonly SubmissionProblem[]; readonly onCheckAgain: () => void }): ReactNode {
  const words = messages.review;
  const plain = problems.filter(({ diagnosis }) => diagnosis === undefined);
  if (plain.length === 0) return null;
  return (
    <Notice tone="bad" live="assertive">
      <p className="strong">{words.problems(plain.length)}</p>
      <ul className="bullets">
        {plain.map((problem) => {
          const { message, nextStep } = failureWords({ code: problem.code, message: problem.message, nextStep: problem.nextStep, status: 422 });
          return <li key={`${problem.code} ${problem.message}`}>{message} <span className="strong">{nextStep}</span></li>;
        })}
      </ul>
      <div><Button size="xs" variant="default" onClick={onCheckAgain}>{words.checkAgain}</Button></div>
    </Notice>
  );
}

interface Reviewing {
  readonly review: SubmissionReview | undefined;
  readonly failure: Failure | undefined;
  readonly busy: 'choosing' | 'sending' | undefined;
  /** Somebody else changed the case; what is shown is the newest. */
  readonly changed: boolean;
  readonly change: (change: ReviewChange) => Promise<void>;
  readonly send: () => Promise<void>;
  readonly load: () => Promise<void>;
}

function useReview({ call, view, onChanged, onSent }: Pick<ReviewStepProps, 'call' | 'view' | 'onChanged' | 'onSent'>): Reviewing {
  const [review, setReview] = useState<SubmissionReview>();
  const [failure, setFailure] = useState<Failure>();
  const [busy, setBusy] = useState<Reviewing['busy']>();
  const [changed, setChanged] = useState(false);
  const load = useCallback(() => call('previewSubmission', {}).then((reply) => {
    if (reply.kind === 'failed') return setFailure(reply.failure);
    setFailure(undefined);
    setReview(reply.value);
  }), [call]);
  useEffect(() => void load(), [load]);

  /** Somebody was before us: shows the newest, and leaves this step where the case did. */
  const meetConflict = async (refused: Failure): Promise<void> => {
    if (refused.status !== 409 || refused.code !== 'CASE_CONFLICT') return setFailure(refused);
    const newest = await call('readCase', {});
    if (newest.kind === 'failed') return setFailure(newest.failure);
    const { kind } = newest.value.case.state;
    if (kind !== 'ready' && kind !== 'questionnaire') return onSent(newest.value);
    onChanged(newest.value);
    setChanged(true);
    await load();
  };
  const change = async (wanted: ReviewChange): Promise<void> => {
    if (review === undefined) return;
    setBusy('choosing');
    setFailure(undefined);
    setChanged(false);
    const { include, exclude, diagnoses } = { ...review.chosen, ...wanted };
    const further = wanted.further ?? (view.case.further ?? []).map(({ order }) => order);
    const reply = await call('chooseSubmission', { caseVersion: view.case.version, further: [...further], include: [...include], exclude: [...exclude], diagnoses: { ...diagnoses } });
    setBusy(undefined);
    if (reply.kind === 'failed') return meetConflict(reply.failure);
    setReview(reply.value.review);
    onChanged(reply.value.view);
  };
  const send = async (): Promise<void> => {
    setBusy('sending');
    setFailure(undefined);
    setChanged(false);
    const reply = await call('submit', { caseVersion: view.case.version });
    setBusy(undefined);
    if (reply.kind === 'ok') return onSent(reply.value);
    await meetConflict(reply.failure);
  };
  return { review, failure, busy, changed, change, send, load };
}
