import { type Forest, sigmoid } from '../forest.ts';
import { logLossOf } from '../evaluate/measures.ts';
import { seededRandom } from '../seeded-random.ts';
import { binColumn } from './bins.ts';
import { createTreeGrower, type TreeSettings } from './grow-tree.ts';

export interface BoostSettings extends TreeSettings {
  readonly trees: number;
  /** Share of the rows, and of the features, that each tree sees. */
  readonly rowShare: number;
  readonly columnShare: number;
  /** Trees without a lower loss on the stop rows after which training ends; 0 never stops early. */
  readonly earlyStoppingTrees: number;
  readonly seed: number;
}

export interface BoostingRows {
  readonly columns: readonly Float32Array[];
  readonly labels: Uint8Array;
  /** Rows before this one are learnt from; those from it on, later in time, only say when to stop. */
  readonly learnRows: number;
  /** One for each column: 1 where the risk may only rise with it, -1 only fall, else 0. */
  readonly monotone: Int8Array;
}

/** Trains a histogram gradient-boosted forest for a 0/1 label. Deterministic: the same rows and settings give the same forest, to the byte. */
export function trainForest({ columns, labels, learnRows, monotone }: BoostingRows, settings: BoostSettings, onTree: (tree: number, stopLoss: number | null) => void = () => {}): Forest {
  const random = seededRandom(settings.seed);
  const base = baseLogOdds(labels.subarray(0, learnRows));
  const margins = new Float64Array(labels.length).fill(base);
  const gradients = new Float64Array(labels.length);
  const hessians = new Float64Array(labels.length);
  const grower = createTreeGrower(columns.map((column) => binColumn(column, learnRows)), base, { gradients, hessians, margins }, monotone, settings);
  const stops = settings.earlyStoppingTrees > 0 && learnRows < labels.length;
  let best = { trees: 0, loss: Number.POSITIVE_INFINITY };

  for (let tree = 1; tree <= settings.trees; tree += 1) {
    for (let row = 0; row < learnRows; row += 1) {
      const probability = sigmoid(margins[row] as number);
      gradients[row] = probability - (labels[row] as number);
      hessians[row] = Math.max(probability * (1 - probability), 1e-16);
    }
    grower.grow(sampleRows(learnRows, settings.rowShare, random), sampleColumns(columns.length, settings.columnShare, random));
    const loss = stops ? meanLoss(margins, labels, learnRows) : null;
    onTree(tree, loss);
    if (loss === null) continue;
    if (loss < best.loss - 1e-7) best = { trees: tree, loss };
    else if (tree - best.trees >= settings.earlyStoppingTrees) break;
  }
  return stops ? firstTrees(grower.forest, best.trees) : grower.forest;
}

/** In float32, as ONNX keeps it. */
function baseLogOdds(labels: Uint8Array): number {
  const share = labels.reduce((sum, label) => sum + label, 0) / labels.length;
  return Math.fround(Math.log(share / (1 - share)));
}

function sampleRows(count: number, share: number, random: () => number): Int32Array {
  const all = Int32Array.from({ length: count }, (_, row) => row);
  return share === 1 ? all : all.filter(() => random() < share);
}

/** Some of the columns in their own order, at least one. */
function sampleColumns(count: number, share: number, random: () => number): Int32Array {
  const columns = Int32Array.from({ length: count }, (_, column) => column);
  if (share === 1) return columns;
  const wanted = Math.max(1, Math.round(count * share));
  for (let place = 0; place < wanted; place += 1) {
    const other = place + Math.floor(random() * (count - place));
    [columns[place], columns[other]] = [columns[other] as number, columns[place] as number];
  }
  return columns.slice(0, wanted).sort();
}

function meanLoss(margins: Float64Array, labels: Uint8Array, from: number): number {
  let sum = 0;
  for (let row = from; row < labels.length; row += 1) sum += logLossOf(sigmoid(margins[row] as number), labels[row] as number);
  return sum / (labels.length - from);
}

function firstTrees(forest: Forest, count: number): Forest {
  const nodes = forest.roots[count] ?? forest.feature.length;
  return {
    base: forest.base,
    roots: forest.roots.slice(0, count),
    feature: forest.feature.slice(0, nodes),
    threshold: forest.threshold.slice(0, nodes),
    left: forest.left.slice(0, nodes),
    right: forest.right.slice(0, nodes),
    missingLeft: forest.missingLeft.slice(0, nodes),
    value: forest.value.slice(0, nodes),
    cover: forest.cover.slice(0, nodes),
  };
}
