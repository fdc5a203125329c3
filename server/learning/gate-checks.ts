import { type TrainingTable, tableOf } from '#models/dataset.ts';
import { modelRows } from '#models/encode.ts';
import { bootstrap, type RowWeights } from '#models/evaluate/bootstrap.ts';
import { evaluate } from '#models/evaluate/evaluate.ts';
import { figureStatistics } from '#models/evaluate/measures.ts';
import { scoreTable } from '#models/evaluate/score-table.ts';
import { ModelError } from '#models/model-error.ts';
import type { Interval, ModelBundle, ModelFile } from '#models/model-file.ts';
import { measureRuntime } from '#models/serve/measure-runtime.ts';
import type { GateCheck } from '#prior-auth/learning-api.ts';
import type { GateInput, GateOutcome, GateRules } from './gate.ts';

/** The latest rows of the slice; more would not narrow the intervals by what they cost. */
const MOST_ROWS = 20_000;
const LATENCY_ROWS = 300;
const SEED = 20261122;
/** Groups of patients. Payers and services are told in the evaluation, but denials truly differ between them. */
const PATIENT_GROUPS: ReadonlySet<string> = new Set(['age', 'age_band', 'ageBand', 'sex']);

/** Every check, also after one that failed, as far as it can be made. */
export async function measureGate({ candidate, live, table, faults, rules }: GateInput): Promise<GateOutcome> {
  const slice = laterSlice(table, live ? [candidate.file, live.file] : [candidate.file]);
  const rows = slice.labels.length;
  const positives = slice.labels.reduce((sum, label) => sum + label, 0);
  const enough = rows >= rules.leastRows && positives >= rules.leastOfLabel && rows - positives >= rules.leastOfLabel;
  const data = { source: slice.source, rows, from: dayOf(slice.times[0]), to: dayOf(slice.times.at(-1)) };
  const first: GateCheck[] = [
    { code: 'enough-rows', passed: enough, why: `${rows} rows (${positives} positive) are later than what the models were fitted to; ${rules.leastRows} are needed, ${rules.leastOfLabel} of each label.` },
    { code: 'data-tests', passed: faults.length === 0, why: faults.length === 0 ? 'The tests of the data found nothing.' : `The tests of the data found: ${faults.map(({ message }) => message).join(' ')}` },
  ];
  try {
    const own = scoreTable(candidate.file, slice).model;
    const theirs = live && scoreTable(live.file, slice).model;
    const latest = tableOf(slice, Array.from({ length: Math.min(rows, LATENCY_ROWS) }, (_, index) => rows - 1 - index));
    return {
      data,
      checks: [...first, ...(enough ? measured(own, theirs, slice, candidate.file, live?.file, rules) : []), ...(await runtimeChecks(candidate, modelRows(candidate.file, latest), rules))],
      evaluation: enough ? evaluate(candidate, slice) : null,
    };
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    return { data, checks: [...first, { code: 'reads-the-table', passed: false, why: error.message }], evaluation: null };
  }
}

/** The rows that none of the models was fitted or calibrated to, oldest first. */
export function laterSlice(table: TrainingTable, files: readonly ModelFile[]): TrainingTable {
  const order = Array.from(table.times.keys()).sort((a, b) => (table.times[a] as number) - (table.times[b] as number) || a - b);
  const from = Math.max(0, ...files.map((file) => fittedRows(table, order, file)));
  return tableOf(table, order.slice(Math.max(from, order.length - MOST_ROWS)));
}

/** How many of the table's rows, in time order, the model may have been fitted to. Simulated and real rows are never the same. */
function fittedRows(table: TrainingTable, order: readonly number[], file: ModelFile): number {
  if (file.simulated !== table.simulated) return 0;
  const before = (instant: number) => order.filter((place) => (table.times[place] as number) < instant).length;
  const seen = before(Date.parse(file.trainedOn.to) + 86_400_000);
  const { split } = file.lineage.parameters as { readonly split?: { readonly by?: unknown; readonly train?: unknown; readonly calibrate?: unknown; readonly calibrateUntil?: unknown } };
  if (split?.by === 'time' && typeof split.calibrateUntil === 'number') return before(split.calibrateUntil);
  if (split?.by === 'share' && typeof split.train === 'number' && typeof split.calibrate === 'number') return Math.floor(seen * (split.train + split.calibrate));
  return seen;
}

function measured(own: Float64Array, theirs: Float64Array | undefined, slice: TrainingTable, file: ModelFile, live: ModelFile | undefined, rules: GateRules): GateCheck[] {
  const figures = figureStatistics(own, slice.labels);
  const { area, calibrationError } = bootstrap(slice.labels.length, SEED, { area: figures.areaUnderRoc, calibrationError: figures.calibrationError });
  const checks: GateCheck[] = [
    {
      code: 'area-under-roc', passed: area.value >= rules.leastArea && area.low > 0.5,
      why: `AUC ${told(area)}; at least ${rules.leastArea} is needed, with its interval above chance (0.5).`,
    },
    {
      code: 'calibration-error', passed: calibrationError.value <= rules.mostCalibrationError,
      why: `Calibration error ${told(calibrationError)}; at most ${rules.mostCalibrationError}.`,
    },
    subgroupCheck(own, slice, file.bands.high, rules),
  ];
  if (!live || !theirs) return checks;
  const liveFigures = figureStatistics(theirs, slice.labels);
  const { areaGain, brierRise } = bootstrap(slice.labels.length, SEED, {
    areaGain: (weights) => figures.areaUnderRoc(weights) - liveFigures.areaUnderRoc(weights),
    brierRise: (weights) => figures.brier(weights) - liveFigures.brier(weights),
  });
  checks.push({
    code: 'no-worse-than-live', passed: areaGain.low >= -rules.areaMargin && brierRise.high <= rules.brierMargin,
    why: `Against ${live.version} on the same rows: AUC ${told(areaGain)}, may fall to ${-rules.areaMargin} at the low end; Brier ${told(brierRise)}, may rise to ${rules.brierMargin} at the high end.`,
  });
  return checks;
}

/** The greatest gap of equalised odds between groups of patients; it fails when the low end of its interval is above the bound. */
function subgroupCheck(probabilities: Float64Array, slice: TrainingTable, threshold: number, rules: GateRules): GateCheck {
  const statistics: Record<string, (weights: RowWeights) => number> = {};
  for (const [group, levels] of Object.entries(slice.groups)) {
    if (!PATIENT_GROUPS.has(group)) continue;
    for (const label of [1, 0]) {
      const rowsOf = new Map<string, number[]>();
      levels.forEach((level, row) => {
        if (slice.labels[row] === label) rowsOf.set(level, [...(rowsOf.get(level) ?? []), row]);
      });
      const compared = [...rowsOf.values()].filter((rows) => rows.length >= rules.leastOfLevel);
      if (compared.length < 2) continue;
      statistics[`${label === 1 ? 'true' : 'false'} positive rate by ${group}`] = (weights) => {
        const rates = compared.map((rows) => selectedShare(rows, probabilities, threshold, weights)).filter((rate) => !Number.isNaN(rate));
        return Math.max(...rates) - Math.min(...rates);
      };
    }
  }
  const gaps = Object.entries(bootstrap(slice.labels.length, SEED, statistics)).sort(([, a], [, b]) => b.low - a.low);
  const [widest] = gaps;
  if (!widest) return { code: 'subgroup-gaps', passed: true, why: `No group of patients has two levels of ${rules.leastOfLevel} rows, so none could be compared.` };
  const [name, gap] = widest;
  return {
    code: 'subgroup-gaps', passed: gap.low <= rules.mostSubgroupGap,
    why: `The widest of ${gaps.length} gaps, in the ${name} at ${threshold}, is ${told(gap)}; the low end may be at most ${rules.mostSubgroupGap}.`,
  };
}

function selectedShare(rows: readonly number[], probabilities: Float64Array, threshold: number, weights: RowWeights): number {
  let total = 0;
  let selected = 0;
  for (const row of rows) {
    const weight = weights[row] as number;
    total += weight;
    if ((probabilities[row] as number) >= threshold) selected += weight;
  }
  return selected / total;
}

async function runtimeChecks(candidate: ModelBundle, rows: readonly Float32Array[], rules: GateRules): Promise<GateCheck[]> {
  const stored = candidate.file.selfCheck.map(({ row }) => Float32Array.from(row, (value) => value ?? Number.NaN));
  try {
    const { greatestDifference, p99Ms } = await measureRuntime(candidate, [...stored, ...rows]);
    return [
      { code: 'runtime-agrees', passed: greatestDifference <= 1e-4, why: `The runtime and the walk of the trees differ by at most ${greatestDifference.toExponential(1)} log-odds; 1e-4 is allowed.` },
      { code: 'latency', passed: p99Ms <= rules.mostLatencyMs, why: `A score with reasons takes ${p99Ms.toFixed(2)} ms at the 99th percentile here; at most ${rules.mostLatencyMs} ms.` },
    ];
  } catch (error) {
    return [{ code: 'runtime-agrees', passed: false, why: `The runtime cannot open or run the ONNX file (${error instanceof Error ? error.name : 'fault'}).` }];
  }
}

function told({ value, low, high }: Interval): string {
  return `${value.toFixed(4)} [${low.toFixed(4)} to ${high.toFixed(4)}]`;
}

function dayOf(time: number | undefined): string | null {
  return time === undefined ? null : new Date(time).toISOString().slice(0, 10);
}
