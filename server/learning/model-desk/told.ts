import type { Interval, ModelFile } from '#models/model-file.ts';
import type { ModelsPage, MonitoringReport } from '#prior-auth/learning-api.ts';
import type { GateReport } from '../gate.ts';
import { evaluationLines } from '../model-card.ts';
import type { Evaluated } from './evaluate-models.ts';

/* What the commands print for a person. Figures of simulated decisions carry the word. */

const figure = ({ value, low, high }: Interval): string => `${value.toFixed(4)} [${low.toFixed(4)} to ${high.toFixed(4)}]`;
const simulatedWord = (simulated: boolean): string => (simulated ? ', simulated' : '');

export function toldModels({ models }: ModelsPage): string {
  if (models.length === 0) return 'There are no models.';
  return models
    .map(({ version, kind, stage, share, simulated, trainedAt, trainedOn, measures }) =>
      [
        `${version}  ${kind}  ${stage}${share === null ? '' : ` for ${Math.round(share * 100)} % of the clinics`}${simulatedWord(simulated)}`,
        `  trained ${trainedAt.slice(0, 10)} on ${trainedOn.rows} rows of ${trainedOn.source}; AUC ${figure(measures.areaUnderRoc)}, calibration error ${figure(measures.calibrationError)}`,
      ].join('\n'),
    )
    .join('\n');
}

export function toldGate(report: GateReport): string {
  const head = `${report.version} to ${report.to}: ${report.passed ? 'passed' : 'refused'}, on ${report.data.rows} rows of ${report.data.source}${simulatedWord(report.simulated)}`;
  return [head, ...report.checks.map(({ code, passed, why }) => `${passed ? '✓' : '✗'} ${code}: ${why}`)].join('\n');
}

export function toldTraining({ version, kind, simulated, measures }: ModelFile): string {
  return `${kind} ${version}${simulatedWord(simulated)}: ${measures.split} (${measures.testRows} rows, ${(measures.baseRate * 100).toFixed(1)} % positive). AUC ${figure(measures.areaUnderRoc)}, Brier ${figure(measures.brier)}, calibration error ${figure(measures.calibrationError)}.`;
}

export function toldEvaluation({ model, version, split, evaluation }: Evaluated): string {
  return [`# ${model} ${version}${simulatedWord(evaluation.simulated)}`, `Split: ${split}.`, '', ...evaluationLines(evaluation), ''].join('\n');
}

export function toldMonitoring(report: MonitoringReport): string {
  const { kind, version, simulated, window, scores, decided, areaUnderRoc, calibrationError, features, alerts } = report;
  const drifted = [...features].sort((a, b) => b.psi - a.psi).slice(0, 5);
  const open = alerts.filter(({ state }) => state !== 'closed');
  return [
    `${kind} ${version ?? '(no live model)'}${simulatedWord(simulated)}, ${window.from.slice(0, 10)} to ${window.to.slice(0, 10)}: ${scores} scores, ${decided} decided`,
    `AUC ${areaUnderRoc ? figure(areaUnderRoc) : 'not known yet'}, calibration error ${calibrationError ? figure(calibrationError) : 'not known yet'}`,
    drifted.length > 0 ? `Most drift (PSI): ${drifted.map(({ feature, psi }) => `${feature} ${psi.toFixed(3)}`).join(', ')}` : 'No drift measured yet.',
    ...(open.length > 0 ? open.map(({ threshold, subject, value, limit, openedAt }) => `! ${threshold}${subject === null ? '' : ` of ${subject}`}: ${value.toFixed(3)}, limit ${limit}, since ${openedAt}`) : ['No open alert.']),
  ].join('\n');
}
