import { useCallback, useEffect, useState, type ReactNode } from 'react';
import { explainState } from '#prior-auth/case-words.ts';
import type { WorklistCase } from '#prior-auth/worklist-api.ts';
import { toneWords } from '../messages.ts';
import { ClockBadge } from '../ui/clock-badge.tsx';
import { Drawer } from '../ui/drawer.tsx';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { language } from '../ui/language.ts';
import { Loading } from '../ui/loading.tsx';
import { sayCaseDecision } from '../ui/say-case.ts';
import { Badge, Notice } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { useNow } from '../ui/use-now.ts';
import { Authorizations } from './authorizations.tsx';
import { CaseActions } from './case-actions.tsx';
import { CaseAsks } from './case-asks.tsx';
import { CaseLabels } from './case-labels.tsx';
import { CaseNotes } from './case-notes.tsx';
import { messages } from './messages.ts';
import { RecordDecision } from './record-decision.tsx';
import { StateBadge } from './state-badge.tsx';
import { readCase } from './work-call.ts';

interface CaseDrawerProps {
  readonly caseId: string;
  /** Grows when the list was told of a change. */
  readonly turn: number;
  readonly onChanged: () => void;
  readonly onClose: () => void;
}

/** One case: what was asked, what the payer said, who did what, and what may be done now. */
export function CaseDrawer({ caseId, turn, onChanged, onClose }: CaseDrawerProps): ReactNode {
  const { value, failure, loading, reload } = useLoad(useCallback(() => readCase(caseId), [caseId]));
  useEffect(() => { if (turn > 0) reload(); }, [turn, reload]);
  const changed = (): void => {
    reload();
    onChanged();
  };
  return (
    <Drawer title={value?.case.patient.name ?? messages.detail.title} onClose={onClose}>
      {loading && value === undefined && <Loading>{messages.detail.loading}</Loading>}
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {value && <Detail found={value} onChanged={changed} />}
    </Drawer>
  );
}

function Detail({ found, onChanged }: { readonly found: WorklistCase; readonly onChanged: () => void }): ReactNode {
  const words = messages.detail;
  const now = useNow();
  const said = explainState(found.case, language);
  const decision = sayCaseDecision(found.case);
  const { patient, service, further = [], payer, state, requirement, id } = found.case;
  const { duties } = found;
  // What was just done cannot be taken back once a decision stands.
  const [round, setRound] = useState(0);
  const decided = (): void => {
    setRound((before) => before + 1);
    onChanged();
  };
  return (
    <>
      <div className="row">
        <StateBadge state={state.kind} />
        {found.clock && <ClockBadge clock={found.clock} now={now} />}
        {found.handOver && (found.handOver.status === 'requested' || found.handOver.status === 'in-progress') && <Badge tone="waiting">{messages.handedTo((found.handOver.takenBy ?? found.handOver.to).name)}</Badge>}
      </div>
      <section className="stack-tight">
        {state.kind !== 'decided' && <p className="strong">{said.headline}</p>}
        {said.details.map((detail) => <p key={detail}>{detail}</p>)}
        {state.kind !== 'decided' && <p>{said.next}</p>}
      </section>
      {state.kind === 'pended' && <CaseAsks asks={state.asks ?? []} />}
      {decision && <Decision found={found} decision={decision} next={state.kind === 'decided' ? said.next : ''} />}
      <CaseActions key={round} found={found} onChanged={onChanged} />
      {state.kind === 'manual' && <RecordDecision found={found.case} onChanged={decided} />}
      {state.kind === 'decided' && <CaseLabels caseId={id} onChanged={onChanged} />}
      {found.authorizations.length > 0 && <Authorizations found={found} onChanged={onChanged} />}
      <section className="stack-tight">
        <h3>{words.clocks}</h3>
        <dl className="facts small">
          <dt>{words.payerOwes}</dt><dd>{found.clock ? <>{messages.filters.clocks[found.clock.kind]}, {words.due} {showDate(found.clock.dueAt)} <ClockBadge clock={found.clock} now={now} /></> : messages.noClock}{duties.payerClockRunsOn && <> {words.runsOn}</>}</dd>
          <dt>{words.weOwe}</dt><dd>{duties.ours.length === 0 ? words.nothing : <ul>{duties.ours.map(({ askId, text, clock, reading }) => <li key={askId}>{text ?? words.anAnswer}, {clock === null ? words.noDay : `${words.due} ${showDate(clock.dueAt)}`} {reading?.kind === 'overdue' && <Badge tone="bad">{messages.filters.overdue}</Badge>}</li>)}</ul>}</dd>
          <dt>{messages.columns.touch}</dt><dd>{found.nextTouch === null ? messages.noTouch : showDate(found.nextTouch)}{found.assignedTo && ` · ${found.assignedTo.name}`}</dd>
        </dl>
      </section>
      <section className="stack-tight">
        <h3>{words.order}</h3>
        {[service, ...further].map((one) => <p key={one.order}>{one.display} <span className="muted small number">{one.codings[0]?.code}</span></p>)}
        <p className="muted">{payer.name}</p>
        <dl className="facts small">
          <dt>{words.requester}</dt><dd>{found.requester ?? words.unknown}</dd>
          <dt>{words.born}</dt><dd>{patient.birthDate === undefined ? words.unknown : showDate(patient.birthDate)}</dd>
          <dt>{words.mrn}</dt><dd>{patient.medicalRecordNumber ?? words.unknown}</dd>
          {requirement.policy && <><dt>{words.policy}</dt><dd>{requirement.policy.policyId}, {words.revision(requirement.policy.revision)}</dd></>}
          <dt>{words.caseId}</dt><dd className="number">{id}</dd>
        </dl>
      </section>
      <CaseNotes caseId={id} notes={found.notes} onChanged={onChanged} />
      {requirement.reasons.length > 0 && <section className="stack-tight"><h3>{words.requirement}</h3><ul className="bullets">{requirement.reasons.map((reason) => <li key={reason}>{reason}</li>)}</ul></section>}
      <section className="stack-tight">
        <h3>{words.timeline}</h3>
        {found.timeline.length === 0 ? <p className="muted">{words.noTimeline}</p> : (
          <ol className="timeline">
            {found.timeline.map((event, index) => <li key={index}><p>{words.happened[event.action]}</p><p className="small muted number">{showDate(event.at)} · {event.who}</p></li>)}
          </ol>
        )}
      </section>
    </>
  );
}

function Decision({ found, decision, next }: { readonly found: WorklistCase; readonly decision: NonNullable<WorklistCase['decision']>; readonly next: string }): ReactNode {
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
      {next !== '' && <div className="stack-tight"><h3>{words.next}</h3><p>{next}</p></div>}
    </section>
  );
}
