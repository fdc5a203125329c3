import { Button } from '@mantine/core';
import { useCallback, useState, type ReactNode } from 'react';
import { MODEL_KINDS, type LearningSession, type ModelKind } from '#prior-auth/learning-api.ts';
import { FailureNotice } from '../ui/failure-notice.tsx';
import { Loading } from '../ui/loading.tsx';
import { Notice } from '../ui/tone.tsx';
import { useLoad } from '../ui/use-load.ts';
import { Alerts } from './alerts.tsx';
import { Calibration } from './calibration.tsx';
import { Events } from './events.tsx';
import { History } from './history.tsx';
import { InputDrift } from './input-drift.tsx';
import { readModels, readMonitoring, readTrainings } from './learning-call.ts';
import { Limits } from './limits.tsx';
import { messages } from './messages.ts';
import { Models } from './models.tsx';
import { Subgroups } from './subgroups.tsx';
import { Trainings } from './trainings.tsx';
import { WindowFigures } from './window-figures.tsx';

/** Everything of one kind of model on one page, the most pressing first. */
export function Overview({ session }: { readonly session: LearningSession }): ReactNode {
  const [kind, setKind] = useState<ModelKind>('denial-risk');
  const models = useLoad(readModels);
  const monitoring = useLoad(useCallback(() => readMonitoring(kind), [kind]));
  const trainings = useLoad(readTrainings);
  const failure = models.failure ?? monitoring.failure ?? trainings.failure;
  const reload = (): void => {
    models.reload();
    monitoring.reload();
    trainings.reload();
  };
  const mayTrain = session.role !== 'viewer';
  const mayApprove = mayTrain && session.role !== 'trainer';
  const report = monitoring.value?.kind === kind ? monitoring.value : undefined;
  const ofKind = models.value?.models.filter((model) => model.kind === kind) ?? [];
  return (
    <>
      <div className="row-apart">
        <nav className="row" aria-label={messages.kinds.title}>
          {MODEL_KINDS.map((one) => <button key={one} type="button" className="kind-choice" aria-pressed={kind === one} onClick={() => setKind(one)}>{messages.kinds[one]}</button>)}
        </nav>
        <Button size="xs" variant="default" onClick={reload}>{messages.reload}</Button>
      </div>
      {failure && <FailureNotice failure={failure} onRetry={reload} />}
      {(report?.simulated === true || ofKind.some(({ simulated }) => simulated)) && <Notice tone="warn"><p>{messages.simulatedExplained}</p></Notice>}
      {(models.value === undefined || report === undefined) && failure === undefined && <Loading>{messages.loading}</Loading>}
      {report && <Alerts alerts={report.alerts} simulated={report.simulated} mayStep={mayTrain} onChanged={reload} />}
      {models.value && <Models key={kind} kind={kind} models={ofKind} mayApprove={mayApprove} onChanged={reload} />}
      {report && (
        <>
          <WindowFigures report={report} />
          {report.calibration.length > 0 && <Calibration bins={report.calibration} simulated={report.simulated} />}
          {report.features.length > 0 && <InputDrift features={report.features} limit={report.thresholds.find(({ name }) => name === 'input-drift')?.limit} simulated={report.simulated} />}
          {report.subgroups.length > 0 && <Subgroups groups={report.subgroups} simulated={report.simulated} />}
          <History points={report.history} simulated={report.simulated} />
        </>
      )}
      {trainings.value && <Trainings kind={kind} trainings={trainings.value.trainings.filter((run) => run.kind === kind)} mayTrain={mayTrain} onChanged={reload} />}
      {report && <Limits thresholds={report.thresholds} mayChange={mayApprove} onChanged={monitoring.reload} />}
      {models.value && <Events events={models.value.events.filter(({ version }) => ofKind.some((model) => model.version === version))} />}
    </>
  );
}
