import { useCallback, type ReactNode } from 'react';
import type { WorklistCase } from '#prior-auth/worklist-api.ts';
import { toneWords } from '../messages.ts';
import { ClockBadge } from '../ui/clock-badge.tsx';
import { Drawer } from '../ui/drawer.tsx';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Loading } from '../ui/loading.tsx';
import { sayCaseDecision } from '../ui/say-case.ts';
import { Badge, Notice } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { useNow } from '../ui/use-now.ts';
import { messages } from './messages.ts';
import { StateBadge } from './state-badge.tsx';
import { readCase } from './work-call.ts';

/** One case: what was asked, what the payer said, who did what. */
export function CaseDrawer({ caseId, onClose }: { readonly caseId: string; readonly onClose: () => void }): ReactNode {
  const { value, failure, loading, reload } = useLoad(useCallback(() => readCase(caseId), [caseId]));
  return (
    <Drawer title={value?.case.patient.name ?? messages.detail.title} onClose={onClose}>
      {loading && value === undefined && <Loading>{messages.detail.loading}</Loading>}
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {value && <Detail found={value} />}
    </Drawer>
  );
}

function Detail({ found }: { readonly found: WorklistCase }): ReactNode {
  const words = messages.detail;
  const now = useNow();
  const decision = sayCaseDecision(found.case);
  const { patient, service, payer, state, requirement, id } = found.case;
  return (
    <>
      <div className="row"><StateBadge state={state.kind} />{found.clock && <ClockBadge clock={found.clock} now={now} />}</div>
      {state.kind === 'questionnaire' && state.missing > 0 && <p>{words.missing(state.missing)}</p>}
      {state.kind === 'queued' && <p>{words.attempts(state.attempts)}</p>}
      {state.kind === 'refused' && <Notice tone="warn"><p className="strong">{words.refused}</p><p>{state.reason}</p></Notice>}
      {decision && <Decision found={found} decision={decision} />}
      <section className="stack-tight">
        <h3>{words.order}</h3>
        <p>{service.display} <span className="muted small number">{service.codings[0]?.code}</span></p>
        <p className="muted">{payer.name}</p>
        <dl className="facts small">
          <dt>{words.born}</dt><dd>{patient.birthDate === undefined ? words.unknown : showDate(patient.birthDate)}</dd>
          <dt>{words.mrn}</dt><dd>{patient.medicalRecordNumber ?? words.unknown}</dd>
          {found.clock && <><dt>{words.due}</dt><dd>{showDate(found.clock.dueAt)}</dd></>}
          {requirement.policy && <><dt>{words.policy}</dt><dd>{requirement.policy.policyId}, {words.revision(requirement.policy.revision)}</dd></>}
          <dt>{words.caseId}</dt><dd className="number">{id}</dd>
        </dl>
      </section>
      {requirement.reasons.length > 0 && <section className="stack-tight"><h3>{words.requirement}</h3><ul className="bullets">{requirement.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul></section>}
      <section className="stack-tight">
        <h3>{words.timeline}</h3>
        {found.timeline.length === 0 ? <p className="muted">{words.noTimeline}</p> : (
          <ol className="timeline">
            {found.timeline.map((event, index) => <li key={index}><p>{event.what}</p><p className="small muted number">{showDate(event.at)} · {event.who}</p></li>)}
          </ol>
        )}
      </section>
      {(state.kind === 'questionnaire' || state.kind === 'ready' || state.kind === 'refused') && <p className="muted small">{words.openPanel}</p>}
    </>
  );
}

function Decision({ found, decision }: { readonly found: WorklistCase; readonly decision: NonNullable<WorklistCase['decision']> }): ReactNode {
  const words = messages.detail;
  const { state } = found.case;
  const number = state.kind === 'decided' || state.kind === 'pended' ? state.decision.preAuthRef : undefined;
  return (
    <section className="stack">
      <Notice tone={decision.tone}>
        <h3>{decision.headline}</h3>
        {number !== undefined && <p>{words.number}: <strong className="number">{number}</strong></p>}
      </Notice>
      <ol className="stack">
        {decision.items.map((item) => (
          <li key={item.sequence} className="stack-tight">
            <div><Badge tone={item.tone}>{toneWords[item.tone]}</Badge></div>
            <p>{item.text}</p>
            {item.details.length > 0 && <ul className="bullets small">{item.details.map((detail) => <li key={detail}>{detail}</li>)}</ul>}
          </li>
        ))}
      </ol>
      {decision.nextStep !== '' && <div className="stack-tight"><h3>{words.next}</h3><p>{decision.nextStep}</p></div>}
    </section>
  );
}
