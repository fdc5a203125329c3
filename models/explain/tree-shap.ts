import { childOf, type Forest } from '../forest.ts';

/** Longest path from a root to a leaf that the buffers hold. */
const MAX_DEPTH = 16;

/**
 * The features met on the way from a root to a node, one slice of these buffers for each level so that nothing is allocated while a row is explained.
 * `zero`: share of training rows that go this way when the feature is not known; `one`: 1 if the explained row goes this way; `weight`: of the subsets of each size.
 */
const feature = new Int32Array(((MAX_DEPTH + 2) * (MAX_DEPTH + 3)) / 2);
const zero = new Float64Array(feature.length);
const one = new Float64Array(feature.length);
const weight = new Float64Array(feature.length);

/**
 * Exact path-dependent Shapley values (Lundberg, Erion and Lee 2018, algorithm 2): what each feature adds to a row's log-odds.
 * They sum, with the expected log-odds over the training rows, to the row's log-odds.
 */
export function shapValues(forest: Forest, row: Float32Array, featureCount: number): Float64Array {
  const contributions = new Float64Array(featureCount);
  for (const root of forest.roots) descend(forest, row, contributions, root, 0, 0, 1, 1, -1);
  return contributions;
}

/** Mean log-odds over the training rows, from the covers. */
export function expectedMargin(forest: Forest): number {
  const expected = (node: number): number => {
    if ((forest.feature[node] as number) < 0) return forest.value[node] as number;
    const left = forest.left[node] as number;
    const right = forest.right[node] as number;
    return ((forest.cover[left] as number) * expected(left) + (forest.cover[right] as number) * expected(right)) / (forest.cover[node] as number);
  };
  return forest.roots.reduce((sum, root) => sum + expected(root), forest.base);
}

/** `parent` is where the parent's path begins, `length` how many steps it has; `zeroShare`, `oneShare` and `cameBy` are the step to add. */
function descend(forest: Forest, row: Float32Array, contributions: Float64Array, node: number, parent: number, length: number, zeroShare: number, oneShare: number, cameBy: number): void {
  const start = parent + length;
  // Paths are a few steps long: a loop is faster as copyWithin here.
  for (let at = parent; at < start; at += 1) {
    feature[at + length] = feature[at] as number;
    zero[at + length] = zero[at] as number;
    one[at + length] = one[at] as number;
    weight[at + length] = weight[at] as number;
  }
  extend(start, length, zeroShare, oneShare, cameBy);
  const splitOn = forest.feature[node] as number;
  if (splitOn < 0) {
    const value = forest.value[node] as number;
    for (let step = 1; step <= length; step += 1) {
      const at = start + step;
      contributions[feature[at] as number] = (contributions[feature[at] as number] as number) + unwoundWeight(start, length, step) * ((one[at] as number) - (zero[at] as number)) * value;
    }
    return;
  }
  const hot = childOf(forest, node, row);
  const cold = (hot === forest.left[node] ? forest.right[node] : forest.left[node]) as number;
  const cover = forest.cover[node] as number;
  let zeroBefore = 1;
  let oneBefore = 1;
  let last = length;
  for (let step = 1; step <= length; step += 1) {
    if (feature[start + step] !== splitOn) continue;
    zeroBefore = zero[start + step] as number;
    oneBefore = one[start + step] as number;
    unwind(start, length, step);
    last = length - 1;
    break;
  }
  descend(forest, row, contributions, hot, start, last + 1, ((forest.cover[hot] as number) / cover) * zeroBefore, oneBefore, splitOn);
  descend(forest, row, contributions, cold, start, last + 1, ((forest.cover[cold] as number) / cover) * zeroBefore, 0, splitOn);
}

/** Adds a step at the end of the path of `length` steps. */
function extend(start: number, length: number, zeroShare: number, oneShare: number, cameBy: number): void {
  feature[start + length] = cameBy;
  zero[start + length] = zeroShare;
  one[start + length] = oneShare;
  weight[start + length] = length === 0 ? 1 : 0;
  for (let step = length - 1; step >= 0; step -= 1) {
    const at = start + step;
    weight[at + 1] = (weight[at + 1] as number) + (oneShare * (weight[at] as number) * (step + 1)) / (length + 1);
    weight[at] = (zeroShare * (weight[at] as number) * (length - step)) / (length + 1);
  }
}

/** Takes a step out of the path, as if its feature had never been met. */
function unwind(start: number, last: number, taken: number): void {
  const oneShare = one[start + taken] as number;
  const zeroShare = zero[start + taken] as number;
  let next = weight[start + last] as number;
  for (let step = last - 1; step >= 0; step -= 1) {
    const at = start + step;
    if (oneShare === 0) {
      weight[at] = ((weight[at] as number) * (last + 1)) / (zeroShare * (last - step));
    } else {
      const before = weight[at] as number;
      weight[at] = (next * (last + 1)) / ((step + 1) * oneShare);
      next = before - (weight[at] * zeroShare * (last - step)) / (last + 1);
    }
  }
  for (let at = start + taken; at < start + last; at += 1) {
    feature[at] = feature[at + 1] as number;
    zero[at] = zero[at + 1] as number;
    one[at] = one[at + 1] as number;
  }
}

/** Sum of the weights that `unwind` would leave. */
function unwoundWeight(start: number, last: number, taken: number): number {
  const oneShare = one[start + taken] as number;
  const zeroShare = zero[start + taken] as number;
  let next = weight[start + last] as number;
  let sum = 0;
  for (let step = last - 1; step >= 0; step -= 1) {
    const before = weight[start + step] as number;
    if (oneShare !== 0) {
      const part = (next * (last + 1)) / ((step + 1) * oneShare);
      sum += part;
      next = before - (part * zeroShare * (last - step)) / (last + 1);
    } else if (zeroShare !== 0) {
      sum += (before * (last + 1)) / (zeroShare * (last - step));
    }
  }
  return sum;
}
