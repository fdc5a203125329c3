import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import { DENIAL_RISK_FEATURES } from '#prior-auth/learning/features.ts';
import type { LearningAlert } from '#prior-auth/learning-api.ts';
import { showDate } from '../ui/fhir-date.ts';
import { Badge } from '../ui/tone.tsx';
import { decimal, marked } from './figures.ts';
import { stepAlert } from './learning-call.ts';
import { messages } from './messages.ts';
import { Section } from './section.tsx';
import { StepDrawer } from './step-drawer.tsx';

interface AlertsProps {
  readonly alerts: readonly LearningAlert[];
  readonly simulated: boolean;
  readonly mayStep: boolean;
  readonly onChanged: () => void;
}

export function Alerts({ alerts, simulated, mayStep, onChanged }: AlertsProps): ReactNode {
  const words = messages.alerts;
  const [step, setStep] = useState<{ readonly id: string; readonly kind: 'acknowledge' | 'close' }>();
  const standing = alerts.filter(({ state }) => state !== 'closed');
  const closed = alerts.filter(({ state }) => state === 'closed');
  return (
    <Section title={words.title} simulated={simulated}>
      {standing.length === 0 && <p>{words.none}</p>}
      <ul className="stack">
        {standing.map((alert) => (
          <li key={alert.id} className="notice alert" data-tone={alert.state === 'open' ? 'warn' : 'info'}>
            <div className="stack-tight grow">
              <Told alert={alert} simulated={simulated} />
              {mayStep && (
                <div className="row">
                  {alert.state === 'open' && <Button size="xs" variant="default" aria-label={`${words.acknowledge}: ${nameOf(alert)}`} onClick={() => setStep({ id: alert.id, kind: 'acknowledge' })}>{words.acknowledge}</Button>}
                  <Button size="xs" variant="default" aria-label={`${words.close}: ${nameOf(alert)}`} onClick={() => setStep({ id: alert.id, kind: 'close' })}>{words.close}</Button>
                </div>
              )}
            </div>
          </li>
        ))}
      </ul>
      {closed.length > 0 && <details><summary>{words.closedOnes(closed.length)}</summary><ul className="stack details-body">{closed.map((alert) => <li key={alert.id} className="stack-tight"><Told alert={alert} simulated={simulated} /></li>)}</ul></details>}
      {step && (
        <StepDrawer
          title={step.kind === 'close' ? words.confirmClose : words.confirmAcknowledge}
          {...(step.kind === 'close' ? { explained: words.silence } : {})}
          submit={step.kind === 'close' ? words.close : words.acknowledge}
          whyLabel={words.note}
          take={(note) => stepAlert(step.id, step.kind, { note })}
          onClose={() => setStep(undefined)}
          onDone={onChanged}
        />
      )}
    </Section>
  );
}

function Told({ alert, simulated }: { readonly alert: LearningAlert; readonly simulated: boolean }): ReactNode {
  const words = messages.alerts;
  const { state, value, limit, openedAt, seenAt, acknowledged, closed, version } = alert;
  return (
    <>
      <p className="row"><span className="strong">{nameOf(alert)}</span><Badge tone={state === 'open' ? 'warn' : state === 'closed' ? 'plain' : 'info'}>{words.states[state]}</Badge></p>
      <p>{marked(words.value(decimal(value), decimal(limit)), simulated)}</p>
      <p className="small">{words.opened(showDate(openedAt))}; {words.seen(showDate(seenAt))}; {messages.version} <code>{version}</code></p>
      {acknowledged && <p className="small">{words.by(acknowledged.by, showDate(acknowledged.at), acknowledged.note)}</p>}
      {closed && <p className="small">{words.by(closed.by, showDate(closed.at), closed.note)}</p>}
    </>
  );
}

function nameOf({ threshold, subject }: LearningAlert): string {
  const feature = DENIAL_RISK_FEATURES.find((name) => name === subject);
  const about = feature === undefined ? (subject === null ? null : (messages.groups.names[subject] ?? subject)) : messages.features[feature];
  const { name } = messages.limits.thresholds[threshold];
  return about === null ? name : `${name}: ${about}`;
}
