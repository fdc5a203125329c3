import type { TrainingTable } from '../dataset.ts';
import { ModelError } from '../model-error.ts';
import type { SetParameters } from './parameters.ts';

/** Least rows of a slice, and of each label in the training slice: below it nothing can be learnt or measured. */
const LEAST_ROWS = { train: 100, calibrate: 20, test: 20, label: 10 } as const;

/** Rows in time order, as places in the table; ties keep the table's order. */
export interface Slices {
  /** The earliest rows: learnt from, and the latest of them for early stopping. */
  readonly learn: readonly number[];
  readonly stop: readonly number[];
  readonly calibrate: readonly number[];
  readonly test: readonly number[];
}

/** Cuts the table by time: what is measured is always later than what was learnt. Throws TRAINING_REFUSED when a slice is too small. */
export function sliceByTime(table: TrainingTable, { split, earlyStoppingTrees, stopShare }: SetParameters): Slices {
  const { times, labels } = table;
  const order = Array.from(times.keys()).sort((a, b) => (times[a] as number) - (times[b] as number) || a - b);
  const before = (time: number) => order.findIndex((place) => (times[place] as number) >= time);
  const until = (time: number) => (before(time) < 0 ? order.length : before(time));
  const [trainEnd, calibrateEnd, testEnd] =
    split.by === 'share'
      ? [Math.floor(order.length * split.train), Math.floor(order.length * (split.train + split.calibrate)), order.length]
      : [until(split.trainUntil), until(split.calibrateUntil), until(split.testUntil)];
  const learnEnd = earlyStoppingTrees > 0 ? Math.floor(trainEnd * (1 - stopShare)) : trainEnd;
  const slices = { learn: order.slice(0, learnEnd), stop: order.slice(learnEnd, trainEnd), calibrate: order.slice(trainEnd, calibrateEnd), test: order.slice(calibrateEnd, testEnd) };
  const labelled = (places: readonly number[], label: number) => places.filter((place) => labels[place] === label).length;
  const small: string[] = [];
  if (trainEnd < LEAST_ROWS.train) small.push(`the training slice has ${trainEnd} rows and needs ${LEAST_ROWS.train}`);
  for (const name of ['calibrate', 'test'] as const) {
    if (slices[name].length < LEAST_ROWS[name]) small.push(`the ${name} slice has ${slices[name].length} rows and needs ${LEAST_ROWS[name]}`);
    else if (labelled(slices[name], 1) === 0 || labelled(slices[name], 0) === 0) small.push(`the ${name} slice has one label only`);
  }
  for (const label of [0, 1]) {
    const rows = labelled(slices.learn, label);
    if (rows < LEAST_ROWS.label) small.push(`label ${label} is on ${rows} learnt rows and needs ${LEAST_ROWS.label}`);
  }
  if (small.length > 0) throw new ModelError('TRAINING_REFUSED', `The table cannot be split by time: ${small.join('; ')}.`);
  return slices;
}

/** Which days each slice ends on, in words. */
export function describeSplit(table: TrainingTable, slices: Slices): string {
  const end = (places: readonly number[]) => new Date(table.times[places.at(-1) as number] as number).toISOString().slice(0, 10);
  const train = slices.stop.length > 0 ? slices.stop : slices.learn;
  return `trained on decisions to ${end(train)}, calibrated on those to ${end(slices.calibrate)}, measured on those to ${end(slices.test)}`;
}
