import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';
import type { GateReport, ModelKind, ModelStage, ModelSummary } from '#prior-auth/learning-api.ts';
import { showDate } from '../ui/fhir-date.ts';
import { Badge, type Tone } from '../ui/tone.tsx';
import { count, marked, percent, withInterval } from './figures.ts';
import { promote, rollBack } from './learning-call.ts';
import { messages } from './messages.ts';
import { Section } from './section.tsx';
import { StepDrawer } from './step-drawer.tsx';

const NEXT = { candidate: 'shadow', shadow: 'canary', canary: 'live' } as const;
const TONES: Readonly<Record<ModelStage, Tone>> = { live: 'good', canary: 'info', shadow: 'info', candidate: 'waiting', retired: 'plain' };
const ORDER: readonly ModelStage[] = ['live', 'canary', 'shadow', 'candidate', 'retired'];

interface ModelsProps {
  readonly kind: ModelKind;
  readonly models: readonly ModelSummary[];
  readonly mayApprove: boolean;
  readonly onChanged: () => void;
}

/** Versions by stage, the gate's reports of each, and the steps that a person may take. */
export function Models({ kind, models, mayApprove, onChanged }: ModelsProps): ReactNode {
  const words = messages.models;
  const [step, setStep] = useState<ModelSummary | 'rollback'>();
  const close = (): void => setStep(undefined);
  const ordered = ORDER.flatMap((stage) => models.filter((model) => model.stage === stage));
  const used = ordered.filter(({ stage }) => stage !== 'retired');
  const retired = ordered.filter(({ stage }) => stage === 'retired');
  const next = step !== undefined && step !== 'rollback' && step.stage in NEXT ? NEXT[step.stage as keyof typeof NEXT] : undefined;
  const show = (model: ModelSummary): ReactNode => <Model key={model.version} model={model} onStep={mayApprove && model.stage in NEXT ? () => setStep(model) : undefined} />;
  return (
    <Section title={words.title}>
      {models.length === 0 && <p className="muted">{words.none}</p>}
      {models.length > 0 && !mayApprove && <p className="small muted">{words.needApprover}</p>}
      <ul className="stack">{used.map(show)}</ul>
      {mayApprove && models.some(({ stage }) => stage === 'live') && <div><Button size="xs" variant="default" className="wrapping-button" onClick={() => setStep('rollback')}>{words.rollbackTo}</Button></div>}
      {retired.length > 0 && <details><summary>{words.olderModels(retired.length)}</summary><ul className="stack details-body">{retired.map(show)}</ul></details>}
      {step === 'rollback' && <StepDrawer title={words.confirmRollback} explained={words.rollbackNow} submit={words.rollback} take={(why) => rollBack({ kind, why })} onClose={close} onDone={onChanged} />}
      {step !== undefined && step !== 'rollback' && next && (
        <StepDrawer
          title={words.confirmPromote(step.version, messages.stages[next])}
          explained={words.gateFirst}
          submit={words.promote(messages.stages[next])}
          {...(next === 'canary' ? { number: { label: words.sharePercent, first: 10, least: 1, most: 99, step: 1 } } : {})}
          take={(why, share) => promote(step.version, { to: next, why, ...(next === 'canary' ? { share: share / 100 } : {}) })}
          onClose={close}
          onDone={onChanged}
        />
      )}
    </Section>
  );
}

function Model({ model, onStep }: { readonly model: ModelSummary; readonly onStep: (() => void) | undefined }): ReactNode {
  const words = messages.models;
  const { version, stage, share, simulated, trainedOn, measures, gateReports } = model;
  const next = stage in NEXT ? NEXT[stage as keyof typeof NEXT] : undefined;
  return (
    <li className="model stack">
      <div className="row-apart">
        <div className="row">
          <h3><code>{version}</code></h3>
          <Badge tone={TONES[stage]}>{messages.stages[stage]}</Badge>
          {simulated && <Badge tone="warn">{messages.simulated}</Badge>}
          <span className="small muted">{share === null ? messages.stageExplained[stage] : words.share(percent(share))}</span>
        </div>
        {onStep && next && <Button size="xs" onClick={onStep} aria-label={`${words.promote(messages.stages[next])}: ${version}`}>{words.promote(messages.stages[next])}</Button>}
      </div>
      <dl className="facts">
        <dt>{words.trained}</dt><dd>{showDate(model.trainedAt)}, <span lang="en">{trainedOn.source}</span>: {words.on(count(trainedOn.rows), showDate(trainedOn.from), showDate(trainedOn.to))}, {words.by(model.registeredBy)}</dd>
        <dt>{words.area}</dt><dd>{marked(withInterval(measures.areaUnderRoc), simulated)}</dd>
        <dt>{words.brier}</dt><dd>{marked(withInterval(measures.brier), simulated)}</dd>
        <dt>{words.error}</dt><dd>{marked(withInterval(measures.calibrationError), simulated)}</dd>
      </dl>
      <p className="small muted">{words.test(count(measures.testRows))} <span lang="en">{measures.split}.</span></p>
      {gateReports.map((report) => <Gate key={`${report.at} ${report.to}`} report={report} simulated={simulated} />)}
    </li>
  );
}

function Gate({ report, simulated }: { readonly report: GateReport; readonly simulated: boolean }): ReactNode {
  const words = messages.gate;
  return (
    <details>
      <summary>{words.report(showDate(report.at))}, {words.to(messages.stages[report.to])}: {report.passed ? words.passed : words.failed}{simulated ? ` (${messages.simulated})` : ''}</summary>
      <ul className="stack-tight details-body">
        {report.checks.map(({ code, passed, why }) => (
          <li key={code} className="row gate-check">
            <Badge tone={passed ? 'good' : 'bad'}>{words.checks[code] ?? code}: {passed ? words.passed : words.failed}</Badge>
            <span className="small grow" lang="en">{why}</span>
          </li>
        ))}
      </ul>
    </details>
  );
}
