import type { Forest } from '../forest.ts';
import { leafPaths, type LeafPaths, MOST_FEATURES_OF_A_PATH } from './leaf-paths.ts';

const pathsOf = new WeakMap<Forest, LeafPaths>();

/**
 * Exact path-dependent Shapley values (Lundberg, Erion and Lee 2018): what each feature adds to a row's log-odds.
 * They sum, with the expected log-odds over the training rows, to the row's log-odds. The forest must not change between calls.
 *
 * Worked out leaf by leaf. Of the features on the way to a leaf, the row keeps to the path with some (`kept`) and leaves it with the others; without a feature, the
 * share of the training rows stands for it. A coalition with a feature that leaves the path gains nothing from the leaf, so only the subsets of `kept` are summed,
 * by size, as the coefficients of the product of (share + x); all features that leave the path have the same value.
 */
export function shapValues(forest: Forest, row: Float32Array, featureCount: number): Float64Array {
  let paths = pathsOf.get(forest);
  if (!paths) {
    paths = leafPaths(forest);
    pathsOf.set(forest, paths);
  }
  const contributions = new Float64Array(featureCount);
  markSides(paths, row);
  let step = 0;
  let first = 0;
  for (let leaf = 0; leaf < paths.value.length; leaf += 1) {
    const lastStep = paths.stepEnd[leaf] as number;
    let leaves = 0;
    for (; step < lastStep; step += 1) {
      leaves |= ((side[paths.stepNode[step] as number] as number) ^ (paths.stepLeft[step] as number)) << (paths.stepFeature[step] as number);
    }
    const end = paths.featureEnd[leaf] as number;
    addLeaf(paths, first, end, leaves, paths.value[leaf] as number, contributions);
    first = end;
  }
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

/* Buffers of all calls, which never overlap: nothing is allocated while a row is explained but the answer. */
/** 1 where the row goes left, by inner node. */
let side = new Uint8Array(0);
/** Sum over the subsets of `kept` of a size of the product of the shares of the rest. */
const bySize = new Float64Array(MOST_FEATURES_OF_A_PATH + 2);
/** Of a subset of size s, of a path with k features: s! (k - s - 1)! / k!, at k * ROW + s. */
const ROW = MOST_FEATURES_OF_A_PATH + 1;
const weight = new Float64Array(ROW * ROW);
for (let count = 1; count < ROW; count += 1) {
  let subsets = 1;
  for (let size = 0; size < count; size += 1) {
    weight[count * ROW + size] = 1 / (count * subsets);
    subsets = (subsets * (count - 1 - size)) / (size + 1);
  }
}

function markSides({ feature, threshold, missingLeft }: LeafPaths, row: Float32Array): void {
  if (side.length < feature.length) side = new Uint8Array(feature.length);
  for (let node = 0; node < feature.length; node += 1) {
    const value = row[feature[node] as number] as number;
    side[node] = Number.isNaN(value) ? (missingLeft[node] as number) : value <= (threshold[node] as number) ? 1 : 0;
  }
}

/** `leaves` has a bit for each feature of the leaf with which the row leaves the path. */
function addLeaf({ leafFeature, share }: LeafPaths, first: number, end: number, leaves: number, value: number, contributions: Float64Array): void {
  let scale = value;
  let kept = 0;
  bySize[0] = 1;
  for (let at = first, bits = leaves; at < end; at += 1, bits >>= 1) {
    const without = share[at] as number;
    if (bits & 1) {
      scale *= without;
      continue;
    }
    bySize[kept + 1] = bySize[kept] as number;
    for (let size = kept; size > 0; size -= 1) bySize[size] = (bySize[size] as number) * without + (bySize[size - 1] as number);
    bySize[0] *= without;
    kept += 1;
  }
  const weights = (end - first) * ROW;
  let lost = 0;
  if (leaves !== 0) for (let size = 0; size <= kept; size += 1) lost -= (bySize[size] as number) * (weight[weights + size] as number);
  for (let at = first, bits = leaves; at < end; at += 1, bits >>= 1) {
    const feature = leafFeature[at] as number;
    if (bits & 1) {
      contributions[feature] = (contributions[feature] as number) + lost * scale;
      continue;
    }
    // The product without this feature's factor, by dividing it out from the highest power down.
    const without = share[at] as number;
    let others = 1;
    let gained = weight[weights + kept - 1] as number;
    for (let size = kept - 1; size > 0; size -= 1) {
      others = (bySize[size] as number) - without * others;
      gained += others * (weight[weights + size - 1] as number);
    }
    contributions[feature] = (contributions[feature] as number) + gained * (1 - without) * scale;
  }
}
