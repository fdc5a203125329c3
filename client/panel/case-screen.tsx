import { Button } from '@mantine/core';
import { lazy, Suspense, useCallback, useState, type ReactNode } from 'react';
import type { CaseStateKind, PriorAuthCase } from '#prior-auth/case.ts';
import type { CaseView, PanelSession } from '#prior-auth/panel-api.ts';
import { stateWords, toneWords } from '../messages.ts';
import { sayCaseDecision } from '../ui/say-case.ts';
import { Badge } from '../ui/tone.tsx';
import { messages } from './messages.ts';
import { HandOverCard } from './hand-over/hand-over-card.tsx';
import type { PanelCall, PanelSessionProof } from './panel-call.ts';
import { PatientBanner } from './patient-banner.tsx';
import { RequirementDetails } from './steps/coverage-requirement/requirement-details.tsx';
import { DenialRiskLine } from './steps/learning/denial-risk-line.tsx';
import { OrderCard } from './steps/order/order-card.tsx';
import { ReviewStep } from './steps/pas-bundle/review-step.tsx';
import { DecisionStep } from './steps/payer-decision/decision-step.tsx';
import { QuestionnaireStep } from './steps/questionnaire/questionnaire-step.tsx';
import { useFollowedCase } from './use-followed-case.ts';

const PacketDialog = lazy(() => import('./packet/packet-dialog.tsx'));

type StepName = 'questionnaire' | 'review' | 'decision';

/** Which step a state of the case belongs to. */
const STEP_OF: Readonly<Record<CaseStateKind, StepName>> = {
  'no-authorization-needed': 'decision', questionnaire: 'questionnaire', ready: 'review', queued: 'decision', pended: 'decision', decided: 'decision', refused: 'decision', held: 'decision', cancelled: 'decision', manual: 'decision',
};

/** The request has not left, or came back. */
const BEFORE_SENDING: readonly CaseStateKind[] = ['no-authorization-needed', 'questionnaire', 'ready', 'refused'];

interface CaseScreenProps {
  readonly call: PanelCall;
  readonly proof: PanelSessionProof;
  readonly session: PanelSession;
  readonly first: CaseView;
  readonly expired: boolean;
}

export function CaseScreen({ call, proof, session, first, expired }: CaseScreenProps): ReactNode {
  const { view, setView, lookedAt, failure, look } = useFollowedCase(call, first);
  const state = view.case.state.kind;
  const [chosen, setChosen] = useState<StepName>();
  const [printing, setPrinting] = useState(false);
  /** The payer's form that is open although the request has left. */
  const [askForm, setAskForm] = useState<string>();
  const step = chosen ?? STEP_OF[state];
  const sent = !BEFORE_SENDING.includes(state);
  const possible: Readonly<Record<StepName, boolean>> = {
    questionnaire: state !== 'no-authorization-needed',
    review: state === 'ready' || state === 'refused',
    decision: state !== 'questionnaire' && state !== 'ready',
  };
  const take = useCallback((next: CaseView) => { setView(next); setChosen(undefined); setAskForm(undefined); }, [setView]);
  /** A choice on the review screen stays there, unless an order with open forms joined. */
  const changed = useCallback((next: CaseView) => { setView(next); if (next.case.state.kind !== 'ready') setChosen(undefined); }, [setView]);
  const openForm = useCallback((next: CaseView, formId: string) => { setView(next); setAskForm(formId); setChosen('questionnaire'); }, [setView]);
  const saved = useCallback(() => void look(), [look]);
  const completed = useCallback((done: PriorAuthCase) => {
    setView((before) => ({ ...before, case: done }));
    setChosen(undefined);
    setAskForm(undefined);
    void look();
  }, [setView, look]);

  return (
    <>
      <a className="skip-link" href="#current-step">{messages.skip}</a>
      {session.needPatientBanner && <PatientBanner patient={view.case.patient} />}
      <header className="row-apart panel-head">
        <h1>{messages.title}</h1>
        <StateBadge view={view} />
      </header>
      <OrderCard case={view.case}>
        {view.case.follows && <p className="small">{followsWords(view.case.follows)}</p>}
        <RequirementDetails requirement={view.case.requirement} service={view.case.service} answered={sent} />
        {view.risk && !sent && <DenialRiskLine risk={view.risk} />}
      </OrderCard>
      {!sent && state !== 'no-authorization-needed' && <HandOverCard key={state} call={call} session={session} />}
      {state !== 'no-authorization-needed' && <StepList step={step} possible={possible} onChoose={(name) => { setAskForm(undefined); setChosen(name); }} />}
      <div className="card" inert={expired} id="current-step" tabIndex={-1} key={view.case.id}>
        {step === 'questionnaire' && <QuestionnaireStep call={call} session={session} readOnly={sent && askForm === undefined} only={askForm} onSaved={saved} onCompleted={completed} onGoOn={() => setChosen('review')} />}
        {step === 'review' && <ReviewStep call={call} view={view} onBack={() => setChosen('questionnaire')} onChanged={changed} onSent={take} />}
        {step === 'decision' && <DecisionStep view={view} lookedAt={lookedAt} pollFailure={failure} onLookAgain={() => void look()} call={call} onReview={() => setChosen('review')} onChanged={take} onFormOpened={openForm} />}
      </div>
      {state !== 'no-authorization-needed' && <div inert={expired}><Button size="xs" variant="default" className="wrapping-button" onClick={() => setPrinting(true)}>{messages.packet.open}</Button></div>}
      {printing && <Suspense><PacketDialog call={call} proof={proof} onClose={() => setPrinting(false)} /></Suspense>}
      <footer className="small muted stack-tight">
        <p>{messages.signedInAs(session.user.name)}</p>
        <p>{messages.synthetic}</p>
      </footer>
      <output className="visually-hidden">{sayCaseDecision(view.case)?.headline ?? stateWords[state]}</output>
    </>
  );
}

function followsWords({ why, authorizationNumber }: NonNullable<PriorAuthCase['follows']>): string {
  const words = messages.decision.follows;
  return why === 'renewal' ? words.renewal(authorizationNumber) : words[why];
}

/** Green only when the payer approved every item. */
function StateBadge({ view }: { readonly view: CaseView }): ReactNode {
  const { kind } = view.case.state;
  const decision = sayCaseDecision(view.case);
  if (decision !== null) return <Badge tone={decision.tone}>{toneWords[decision.tone]}</Badge>;
  return <Badge tone={kind === 'refused' || kind === 'held' ? 'warn' : kind === 'queued' ? 'waiting' : kind === 'cancelled' ? 'plain' : 'info'}>{stateWords[kind]}</Badge>;
}

function StepList({ step, possible, onChoose }: { readonly step: StepName; readonly possible: Readonly<Record<StepName, boolean>>; readonly onChoose: (step: StepName) => void }): ReactNode {
  const words = messages.steps;
  return (
    <nav aria-label={words.label}>
      <ol className="steps">
        {(['questionnaire', 'review', 'decision'] as const).map((name, index) => (
          <li key={name}>
            <button type="button" disabled={!possible[name]} aria-current={name === step ? 'step' : undefined} onClick={() => onChoose(name)}>
              <span className="number">{index + 1}</span> {words[name]}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}
