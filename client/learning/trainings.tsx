import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { ModelKind, TrainingRun } from '#prior-auth/learning-api.ts';
import type { Failure } from '../ui/call-json.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { showDate } from '../ui/fhir-date.ts';
import { Badge, type Tone } from '../ui/tone.tsx';
import { percent } from './figures.ts';
import { askTraining, stopTraining } from './learning-call.ts';
import { messages } from './messages.ts';
import { Section } from './section.tsx';
import { StepDrawer } from './step-drawer.tsx';

const TONES: Readonly<Record<TrainingRun['state'], Tone>> = { waiting: 'waiting', running: 'info', done: 'good', failed: 'bad', stopped: 'plain' };

interface TrainingsProps {
  readonly kind: ModelKind;
  readonly trainings: readonly TrainingRun[];
  readonly mayTrain: boolean;
  readonly onChanged: () => void;
}

export function Trainings({ kind, trainings, mayTrain, onChanged }: TrainingsProps): ReactNode {
  const words = messages.trainings;
  const [asking, setAsking] = useState(false);
  const [failure, setFailure] = useState<Failure>();
  const stop = async (id: string): Promise<void> => {
    const reply = await stopTraining(id);
    setFailure(reply.kind === 'failed' ? reply.failure : undefined);
    onChanged();
  };
  return (
    <Section title={words.title}>
      <p className="small muted">{words.explained}</p>
      {trainings.length === 0 && <p>{words.none}</p>}
      <ul className="stack">
        {trainings.map((run) => (
          <li key={run.id} className="stack-tight">
            <p className="row">
              <Badge tone={TONES[run.state]}>{words.states[run.state]}</Badge>
              <span>{showDate(run.askedAt)}, {words.causes[run.cause]}, {words.by(run.askedBy)}</span>
              {mayTrain && run.endedAt === null && <Button size="xs" variant="default" onClick={() => void stop(run.id)}>{words.stop}</Button>}
            </p>
            {run.state === 'running' && <p className="row small"><progress max={1} value={run.progress} aria-label={words.title} />{words.progress(percent(run.progress))}</p>}
            <p className="small muted" lang="en">{run.why}</p>
            {run.version !== null && <p className="small">{words.came(run.version, run.passed)}</p>}
            {run.problem !== null && <p className="small" lang="en">{run.problem}</p>}
          </li>
        ))}
      </ul>
      {failure && <FailureNotice failure={failure} />}
      {mayTrain && <div><Button size="xs" variant="default" onClick={() => setAsking(true)}>{words.ask}</Button></div>}
      {asking && <StepDrawer title={words.confirm} explained={words.explained} submit={words.ask} take={(why) => askTraining({ kind, why })} onClose={() => setAsking(false)} onDone={onChanged} />}
    </Section>
  );
}
