import type { ReactNode } from 'react';
import { standingAnswer } from '#prior-auth/case.ts';
import type { CaseView } from '#prior-auth/panel-api.ts';
import type { Failure } from '../../../ui/call-json.ts';
import { FailureNotice } from '../../../ui/failure-notice.tsx';
import { showTime } from '../../../ui/fhir-date.ts';
import { FocusHeading } from '../../../ui/focus-heading.tsx';
import { Loading } from '../../../ui/loading.tsx';
import { messages } from '../../messages.ts';
import type { PanelCall } from '../../panel-call.ts';
import { CaseActions } from './actions/case-actions.tsx';
import { AppealOutlookLine } from './appeal-outlook-line.tsx';
import { AskList } from './asks/ask-list.tsx';
import { AuthorizationRegister } from './authorization-register.tsx';
import { Clocks } from './clocks.tsx';
import { Decision } from './decision-items.tsx';
import { StateNotice } from './state-notice.tsx';

interface DecisionStepProps {
  readonly call: PanelCall;
  readonly view: CaseView;
  readonly lookedAt: number;
  readonly pollFailure: Failure | undefined;
  readonly onLookAgain: () => void;
  readonly onReview: () => void;
  readonly onChanged: (view: CaseView) => void;
  readonly onFormOpened: (view: CaseView, formId: string) => void;
}

/** Where the request stands, what the payer said and wants, item by item, and what may be done about it. */
export function DecisionStep({ call, view, lookedAt, pollFailure, onLookAgain, onReview, onChanged, onFormOpened }: DecisionStepProps): ReactNode {
  const words = messages.decision;
  const { state } = view.case;
  const standing = state.kind === 'cancelled' ? undefined : standingAnswer(state);
  const asks = standing?.kind === 'pended' ? (standing.asks ?? []) : [];
  const waiting = state.kind === 'queued' || state.kind === 'pended';
  return (
    <section className="stack" aria-labelledby="decision-title">
      <div id="decision-title"><FocusHeading>{words.title}</FocusHeading></div>
      <StateNotice case={view.case} onReview={onReview} />
      <AskList call={call} view={view} asks={asks} onChanged={onChanged} onFormOpened={onFormOpened} />
      {standing && <Decision decision={standing.decision} asked={view.asked ?? []} stood={standing !== state} />}
      {view.appealOutlook && <AppealOutlookLine outlook={view.appealOutlook} />}
      <AuthorizationRegister view={view} />
      <Clocks view={view} asks={asks} />
      {pollFailure && <FailureNotice failure={pollFailure} onRetry={onLookAgain} />}
      {waiting && !pollFailure && (
        <div className="stack-tight small muted">
          <Loading>{words.polling}</Loading>
          <p>{words.lookedAt(showTime(lookedAt))} {words.waiting}</p>
        </div>
      )}
      <CaseActions call={call} view={view} onChanged={onChanged} />
    </section>
  );
}
