import { Gauge, type Registry } from 'prom-client';
import type { ModelKind, MonitoringReport } from '#prior-auth/learning-api.ts';

/** Gauges of what monitoring last found. `simulated="true"`: of simulated decisions. A figure that cannot be given is left out. */
export function monitoringMetrics(registry: Registry): (report: MonitoringReport) => void {
  const of = <L extends string>(name: string, help: string, ...labels: L[]) => {
    registry.removeSingleMetric(name);
    return new Gauge({ name, help, labelNames: ['kind', 'simulated', ...labels], registers: [registry] });
  };
  const rows = of('learning_window_rows', 'Scores and decisions in the monitoring window.', 'of');
  const inputPsi = of('learning_input_drift_psi', 'Population stability index of a feature against the rows of the model’s test.', 'feature');
  const unknown = of('learning_input_unknown_share', 'Share of scores for which a feature is unknown, 0..1.', 'feature');
  const scorePsi = of('learning_score_drift_psi', 'Population stability index of the scores.');
  const denials = of('learning_denial_rate', 'Share of decided cases that were denied, 0..1.');
  const calibration = of('learning_calibration_error', 'Expected calibration error over the decided cases.');
  const area = of('learning_area_under_roc', 'Area under the ROC curve over the decided cases.');
  const gap = of('learning_subgroup_gap', 'Greatest difference between two levels of a group, by measure.', 'group', 'measure');
  const latency = of('learning_score_ms', 'Time of a score with its reasons, by quantile.', 'quantile');
  const alerts = of('learning_alerts', 'Alerts that stand, by state.', 'state');
  const all: readonly Gauge[] = [rows, inputPsi, unknown, scorePsi, denials, calibration, area, gap, latency, alerts];
  const reports = new Map<ModelKind, MonitoringReport>();
  return (report) => {
    reports.set(report.kind, report);
    for (const gauge of all) gauge.reset();
    for (const { kind, simulated, scores, decided, features, score, label, calibrationError, areaUnderRoc, subgroups, latency: times, alerts: told } of reports.values()) {
      const own = { kind, simulated: String(simulated) };
      rows.set({ ...own, of: 'scores' }, scores);
      rows.set({ ...own, of: 'decided' }, decided);
      for (const { feature, psi, unknownShare } of features) {
        inputPsi.set({ ...own, feature }, psi);
        unknown.set({ ...own, feature }, unknownShare);
      }
      if (score) scorePsi.set(own, score.psi);
      if (label) denials.set(own, label.rate.value);
      if (calibrationError) calibration.set(own, calibrationError.value);
      if (areaUnderRoc) area.set(own, areaUnderRoc.value);
      for (const { group, parityGap, oddsGap } of subgroups) {
        if (parityGap) gap.set({ ...own, group, measure: 'demographic-parity' }, parityGap.value);
        if (oddsGap) gap.set({ ...own, group, measure: 'equalised-odds' }, oddsGap.value);
      }
      for (const [quantile, ms] of times ? [['0.5', times.p50Ms], ['0.95', times.p95Ms], ['0.99', times.p99Ms]] as const : []) latency.set({ ...own, quantile }, ms);
      for (const state of ['open', 'acknowledged'] as const) alerts.set({ ...own, state }, told.filter((alert) => alert.state === state).length);
    }
  };
}
