import { childOf, type Forest } from '../forest.ts';

/** One feature on the path from the root: how often the path is taken without knowing it (`zero`) and whether this row takes it (`one`). */
interface PathStep {
  feature: number;
  zero: number;
  one: number;
  /** Weight of the subsets of a given size. */
  weight: number;
}

/**
 * Exact path-dependent Shapley values (Lundberg, Erion and Lee 2018, algorithm 2): what each feature adds to a row's log-odds.
 * They sum, with the expected log-odds over the training rows, to the row's log-odds.
 */
export function shapValues(forest: Forest, row: Float32Array, featureCount: number): Float64Array {
  const contributions = new Float64Array(featureCount);
  for (const root of forest.roots) descend(forest, row, contributions, root, [], 1, 1, -1);
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

function descend(forest: Forest, row: Float32Array, contributions: Float64Array, node: number, parentPath: readonly PathStep[], zero: number, one: number, cameBy: number): void {
  const path = extend(parentPath, zero, one, cameBy);
  const feature = forest.feature[node] as number;
  if (feature < 0) {
    const value = forest.value[node] as number;
    for (let index = 1; index < path.length; index += 1) {
      const step = path[index] as PathStep;
      contributions[step.feature] = (contributions[step.feature] as number) + unwoundWeight(path, index) * (step.one - step.zero) * value;
    }
    return;
  }
  const hot = childOf(forest, node, row);
  const cold = (hot === forest.left[node] ? forest.right[node] : forest.left[node]) as number;
  const cover = forest.cover[node] as number;
  const seenAt = path.findIndex((step) => step.feature === feature);
  const seen = path[seenAt];
  const rest = seen ? unwind(path, seenAt) : path;
  const zeroBefore = seen?.zero ?? 1;
  const oneBefore = seen?.one ?? 1;
  descend(forest, row, contributions, hot, rest, ((forest.cover[hot] as number) / cover) * zeroBefore, oneBefore, feature);
  descend(forest, row, contributions, cold, rest, ((forest.cover[cold] as number) / cover) * zeroBefore, 0, feature);
}

function extend(parent: readonly PathStep[], zero: number, one: number, feature: number): PathStep[] {
  const depth = parent.length;
  const path = new Array<PathStep>(depth + 1);
  for (let index = 0; index < depth; index += 1) {
    const step = parent[index] as PathStep;
    path[index] = { feature: step.feature, zero: step.zero, one: step.one, weight: step.weight };
  }
  path[depth] = { feature, zero, one, weight: depth === 0 ? 1 : 0 };
  for (let index = depth - 1; index >= 0; index -= 1) {
    const here = path[index] as PathStep;
    const next = path[index + 1] as PathStep;
    next.weight += (one * here.weight * (index + 1)) / (depth + 1);
    here.weight = (zero * here.weight * (depth - index)) / (depth + 1);
  }
  return path;
}

/** The path as if the step at `at` had never been taken. */
function unwind(path: readonly PathStep[], at: number): PathStep[] {
  const depth = path.length - 1;
  const copy = path.map((step) => ({ ...step }));
  const { one, zero } = copy[at] as PathStep;
  let next = (copy[depth] as PathStep).weight;
  for (let index = depth - 1; index >= 0; index -= 1) {
    const step = copy[index] as PathStep;
    if (one !== 0) {
      const before = step.weight;
      step.weight = (next * (depth + 1)) / ((index + 1) * one);
      next = before - (step.weight * zero * (depth - index)) / (depth + 1);
    } else {
      step.weight = (step.weight * (depth + 1)) / (zero * (depth - index));
    }
  }
  for (let index = at; index < depth; index += 1) {
    const following = copy[index + 1] as PathStep;
    copy[index] = { feature: following.feature, zero: following.zero, one: following.one, weight: (copy[index] as PathStep).weight };
  }
  copy.length = depth;
  return copy;
}

/** Sum of the weights after unwinding the step at `at`, without building the path. */
function unwoundWeight(path: readonly PathStep[], at: number): number {
  const depth = path.length - 1;
  const { one, zero } = path[at] as PathStep;
  let next = (path[depth] as PathStep).weight;
  let sum = 0;
  for (let index = depth - 1; index >= 0; index -= 1) {
    const weight = (path[index] as PathStep).weight;
    if (one !== 0) {
      const part = (next * (depth + 1)) / ((index + 1) * one);
      sum += part;
      next = weight - (part * zero * (depth - index)) / (depth + 1);
    } else if (zero !== 0) {
      sum += (weight * (depth + 1)) / (zero * (depth - index));
    }
  }
  return sum;
}
