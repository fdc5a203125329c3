import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { CaseView } from '#prior-auth/panel-api.ts';
import { sayDecision, type DecisionWords } from '#prior-auth/payer-decision/decision-words.ts';
import { toneWords } from '../../../messages.ts';
import type { Failure } from '../../../ui/call-json.ts';
import { ClockBadge } from '../../../ui/clock-badge.tsx';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { showDate, showTime } from '../../../ui/fhir-date.ts';
import { FocusHeading } from '../../../ui/focus-heading.tsx';
import { language } from '../../../ui/language.ts';
import { Loading } from '../../../ui/loading.tsx';
import { Badge, Notice } from '../../../ui/tone.tsx';
import { useNow } from '../../../ui/use-now.ts';
import { messages } from '../../messages.ts';

interface DecisionStepProps {
  readonly view: CaseView;
  readonly lookedAt: number;
  readonly pollFailure: Failure | undefined;
  readonly onLookAgain: () => void;
  readonly onBack: () => void;
}

/** Where the request stands and what the payer said, item by item. */
export function DecisionStep({ view, lookedAt, pollFailure, onLookAgain, onBack }: DecisionStepProps): ReactNode {
  const words = messages.decision;
  const { state } = view.case;
  const waiting = state.kind === 'queued' || state.kind === 'pended';
  return (
    <section className="stack" aria-labelledby="decision-title">
      <div id="decision-title"><FocusHeading>{words.title}</FocusHeading></div>
      {state.kind === 'no-authorization-needed' && <Notice tone="info"><p className="strong">{words.notNeeded}</p>{state.authorizationNumber !== undefined && <p>{words.authorizationNumber(state.authorizationNumber)}</p>}<p>{words.notNeededText}</p></Notice>}
      {state.kind === 'queued' && (
        <Notice tone="waiting">
          <p className="strong">{words.queued}</p>
          <p>{words.queuedText}</p>
          {state.attempts > 0 && <p>{words.attempts(state.attempts)}</p>}
          {state.lastError !== undefined && <p>{words.lastError}</p>}
        </Notice>
      )}
      {state.kind === 'refused' && (
        <>
          <Notice tone="warn"><p className="strong">{words.refused}</p><p>{words.refusedText}</p><p>{state.reason}</p></Notice>
          <p>{words.refusedNext}</p>
          <Button variant="default" onClick={onBack}>{messages.review.back}</Button>
        </>
      )}
      {(state.kind === 'pended' || state.kind === 'decided') && <Decision decision={sayDecision(state.decision, language)} number={state.decision.preAuthRef} />}
      <Deadline view={view} />
      {pollFailure && <FailureNotice failure={pollFailure} onRetry={onLookAgain} />}
      {waiting && !pollFailure && (
        <div className="stack-tight small muted">
          <Loading>{words.polling}</Loading>
          <p>{words.lookedAt(showTime(lookedAt))} {words.waiting}</p>
        </div>
      )}
    </section>
  );
}

function Decision({ decision, number }: { readonly decision: DecisionWords; readonly number: string | undefined }): ReactNode {
  const words = messages.decision;
  return (
    <>
      <Notice tone={decision.tone}>
        <h3>{decision.headline}</h3>
        {number !== undefined && <p>{words.number}: <strong className="number">{number}</strong></p>}
      </Notice>
      {decision.items.length > 0 && (
        <section className="stack-tight" aria-labelledby="decision-items">
          <h3 id="decision-items">{words.items}</h3>
          <ol className="stack">
            {decision.items.map((item) => (
              <li key={item.sequence} className="decision-item stack-tight">
                <div className="row-apart"><span className="small muted">{words.item(item.sequence)}</span><Badge tone={item.tone}>{toneWords[item.tone]}</Badge></div>
                <p>{item.text}</p>
                {item.details.length > 0 && <ul className="bullets small">{item.details.map((detail) => <li key={detail}>{detail}</li>)}</ul>}
              </li>
            ))}
          </ol>
        </section>
      )}
      {decision.nextStep !== '' && <section className="stack-tight" aria-labelledby="decision-next"><h3 id="decision-next">{words.next}</h3><p>{decision.nextStep}</p></section>}
    </>
  );
}

function Deadline({ view: { clock } }: { readonly view: CaseView }): ReactNode {
  const now = useNow(15_000);
  if (clock === null) return null;
  return (
    <div className="stack-tight small">
      <div className="row"><ClockBadge clock={clock} now={now} /><span className="muted">{messages.decision.kinds[clock.kind]}</span></div>
      {clock.stoppedAt === undefined && <p className="muted">{messages.decision.deadline(showDate(clock.dueAt))}</p>}
    </div>
  );
}
