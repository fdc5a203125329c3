import { Button } from '@mantine/core';
import { useCallback, useState, type ReactNode } from 'react';
import type { CaseView, SubmissionPreview } from '#prior-auth/panel-api.ts';
import { failureWords } from '../../../messages.ts';
import type { Failure } from '../../../ui/call-json.ts';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { FocusHeading } from '../../../ui/focus-heading.tsx';
import { Loading } from '../../../ui/loading.tsx';
import { Notice } from '../../../ui/tone.tsx';
import { useLoad } from '../../../ui/use-load.ts';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';

interface ReviewStepProps {
  readonly call: PanelCall;
  readonly view: CaseView;
  readonly onBack: () => void;
  readonly onSent: (view: CaseView) => void;
}

/** Everything that would leave, before it leaves. */
export function ReviewStep({ call, view, onBack, onSent }: ReviewStepProps): ReactNode {
  const words = messages.review;
  const payer = view.case.payer.name;
  const preview = useLoad(useCallback(() => call('previewSubmission', {}), [call]));
  const [sending, setSending] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const [version, setVersion] = useState(view.case.version);
  const [changed, setChanged] = useState(false);

  const send = async (): Promise<void> => {
    setSending(true);
    setFailure(undefined);
    setChanged(false);
    const reply = await call('submit', { caseVersion: version });
    setSending(false);
    if (reply.kind === 'ok') return onSent(reply.value);
    if (reply.failure.status !== 409) return setFailure(reply.failure);
    const newest = await call('readCase', {});
    if (newest.kind === 'failed') return setFailure(newest.failure);
    const { kind } = newest.value.case.state;
    if (kind !== 'ready' && kind !== 'questionnaire') return onSent(newest.value);
    setVersion(newest.value.case.version);
    setChanged(true);
    preview.reload();
  };

  const stopped = preview.value === undefined || preview.value.problems.length > 0;
  return (
    <section className="stack" aria-labelledby="review-title">
      <div id="review-title"><FocusHeading>{words.title}</FocusHeading></div>
      <p className="muted">{words.intro(payer)}</p>
      {preview.loading && <Loading>{words.loading}</Loading>}
      {preview.failure && <FailureNotice failure={preview.failure} onRetry={preview.reload} />}
      {changed && <Notice tone="warn" live="assertive"><p>{words.changed}</p></Notice>}
      {preview.value && <Preview preview={preview.value} onCheckAgain={preview.reload} />}
      {failure && <FailureNotice failure={failure} onRetry={() => void send()} />}
      <div className="stack action-bar">
        <Button fullWidth loading={sending} disabled={stopped || preview.loading} onClick={() => void send()} className="wrapping-button">{words.send(payer)}</Button>
        <Button fullWidth variant="default" disabled={sending} onClick={onBack}>{words.back}</Button>
      </div>
    </section>
  );
}

function Preview({ preview, onCheckAgain }: { readonly preview: SubmissionPreview; readonly onCheckAgain: () => void }): ReactNode {
  const words = messages.review;
  return (
    <>
      {preview.problems.length > 0 && (
        <Notice tone="bad" live="assertive">
          <p className="strong">{words.problems(preview.problems.length)}</p>
          <ul className="bullets">
            {preview.problems.map((problem) => {
              const { message, nextStep } = failureWords({ ...problem, status: 422 });
              return <li key={`${problem.code} ${problem.message}`}>{message} <span className="strong">{nextStep}</span></li>;
            })}
          </ul>
          <div><Button size="xs" variant="default" onClick={onCheckAgain}>{words.checkAgain}</Button></div>
        </Notice>
      )}
      <section className="card stack-tight" aria-labelledby="review-items">
        <h3 id="review-items">{words.items}</h3>
        <ol className="stack-tight">
          {preview.items.map((item) => <li key={item.sequence}>{item.display} <span className="muted number small">{item.code}</span></li>)}
        </ol>
      </section>
      <section className="card stack-tight" aria-labelledby="review-resources">
        <h3 id="review-resources">{preview.resources.length === 0 ? words.noResources : words.resources(preview.resources.length)}</h3>
        <ul className="sent-resources">
          {preview.resources.map((resource, index) => (
            <li key={`${resource.resourceType} ${index}`}>
              <p>{resource.display}</p>
              <p className="small muted">{resource.why} · {resource.resourceType}</p>
            </li>
          ))}
        </ul>
      </section>
    </>
  );
}
