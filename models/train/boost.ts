import type { Forest } from '../forest.ts';
import { sigmoid } from '../forest.ts';
import { type BinnedColumn, binColumn, MISSING_BIN } from './bins.ts';

export interface BoostSettings {
  readonly trees: number;
  readonly depth: number;
  readonly learningRate: number;
  /** L2 penalty on leaf values. */
  readonly lambda: number;
  /** Least hessian weight of a child. */
  readonly minChildWeight: number;
}

interface Split {
  readonly feature: number;
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly gain: number;
}

interface Frontier {
  readonly node: number;
  readonly rows: Int32Array;
  readonly gradient: number;
  readonly hessian: number;
}

const SLOTS = 256;

/** Trains a histogram gradient-boosted forest for a 0/1 label. Deterministic: the same columns and settings give the same forest, to the byte. */
export function trainForest(columns: readonly Float32Array[], labels: Uint8Array, settings: BoostSettings): Forest {
  const rowCount = labels.length;
  const binned = columns.map(binColumn);
  const share = labels.reduce((sum, label) => sum + label, 0) / rowCount;
  const base = Math.log(share / (1 - share));
  const margins = new Float64Array(rowCount).fill(base);
  const gradients = new Float64Array(rowCount);
  const hessians = new Float64Array(rowCount);
  const forest = { base, roots: [] as number[], feature: [] as number[], threshold: [] as number[], left: [] as number[], right: [] as number[], missingLeft: [] as number[], value: [] as number[], cover: [] as number[] };
  const addNode = (cover: number): number => {
    forest.feature.push(-1);
    forest.threshold.push(0);
    forest.left.push(-1);
    forest.right.push(-1);
    forest.missingLeft.push(0);
    forest.value.push(0);
    return forest.cover.push(cover) - 1;
  };

  for (let tree = 0; tree < settings.trees; tree += 1) {
    for (let row = 0; row < rowCount; row += 1) {
      const probability = sigmoid(margins[row] as number);
      gradients[row] = probability - (labels[row] as number);
      hessians[row] = Math.max(probability * (1 - probability), 1e-16);
    }
    const allRows = Int32Array.from({ length: rowCount }, (_, row) => row);
    const root = { rows: allRows, ...sums(allRows, gradients, hessians) };
    let frontier: Frontier[] = [{ ...root, node: addNode(root.hessian) }];
    forest.roots.push((frontier[0] as Frontier).node);
    for (let depth = 0; depth <= settings.depth; depth += 1) {
      const next: Frontier[] = [];
      for (const place of frontier) {
        const split = depth < settings.depth ? bestSplit(binned, place, gradients, hessians, settings) : undefined;
        if (!split) {
          const value = Math.fround((-place.gradient / (place.hessian + settings.lambda)) * settings.learningRate);
          forest.value[place.node] = value;
          for (const row of place.rows) margins[row] = (margins[row] as number) + value;
          continue;
        }
        const column = binned[split.feature] as BinnedColumn;
        const goesLeft = (row: number) => (column.bins[row] === MISSING_BIN ? split.missingLeft : (column.bins[row] as number) <= split.bin);
        const leftRows = place.rows.filter(goesLeft);
        const rightRows = place.rows.filter((row) => !goesLeft(row));
        const left = { rows: leftRows, ...sums(leftRows, gradients, hessians) };
        const right = { rows: rightRows, ...sums(rightRows, gradients, hessians) };
        const leftNode = addNode(left.hessian);
        const rightNode = addNode(right.hessian);
        forest.feature[place.node] = split.feature;
        forest.threshold[place.node] = column.edges[split.bin] as number;
        forest.left[place.node] = leftNode;
        forest.right[place.node] = rightNode;
        forest.missingLeft[place.node] = split.missingLeft ? 1 : 0;
        next.push({ ...left, node: leftNode }, { ...right, node: rightNode });
      }
      frontier = next;
    }
  }
  return forest;
}

function sums(rows: Int32Array, gradients: Float64Array, hessians: Float64Array): { gradient: number; hessian: number } {
  let gradient = 0;
  let hessian = 0;
  for (const row of rows) {
    gradient += gradients[row] as number;
    hessian += hessians[row] as number;
  }
  return { gradient, hessian };
}

/** The split of one node that lowers the loss most, over all features, bins and both ways for missing values; undefined when none does. */
function bestSplit(columns: readonly BinnedColumn[], place: Frontier, gradients: Float64Array, hessians: Float64Array, settings: BoostSettings): Split | undefined {
  const worth = (gradient: number, hessian: number) => (gradient * gradient) / (hessian + settings.lambda);
  const whole = worth(place.gradient, place.hessian);
  let best: Split | undefined;
  const gradientOf = new Float64Array(SLOTS);
  const hessianOf = new Float64Array(SLOTS);
  columns.forEach(({ bins, edges }, feature) => {
    gradientOf.fill(0);
    hessianOf.fill(0);
    for (const row of place.rows) {
      const bin = bins[row] as number;
      gradientOf[bin] = (gradientOf[bin] as number) + (gradients[row] as number);
      hessianOf[bin] = (hessianOf[bin] as number) + (hessians[row] as number);
    }
    const missing = { gradient: gradientOf[MISSING_BIN] as number, hessian: hessianOf[MISSING_BIN] as number };
    let gradient = 0;
    let hessian = 0;
    for (let bin = 0; bin < edges.length; bin += 1) {
      gradient += gradientOf[bin] as number;
      hessian += hessianOf[bin] as number;
      for (const missingLeft of missing.hessian > 0 ? [false, true] : [false]) {
        const left = missingLeft ? { gradient: gradient + missing.gradient, hessian: hessian + missing.hessian } : { gradient, hessian };
        const right = { gradient: place.gradient - left.gradient, hessian: place.hessian - left.hessian };
        if (left.hessian < settings.minChildWeight || right.hessian < settings.minChildWeight) continue;
        const gain = worth(left.gradient, left.hessian) + worth(right.gradient, right.hessian) - whole;
        if (gain > (best?.gain ?? 1e-6)) best = { feature, bin, missingLeft, gain };
      }
    }
  });
  return best;
}
