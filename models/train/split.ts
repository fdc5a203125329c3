import { MISSING_BIN } from './bins.ts';

/** Slots of one feature's histogram: a gradient and a hessian for each bin, the last for missing values. */
export const SLOTS = 512;
const MISSING = 2 * MISSING_BIN;

export interface SplitSettings {
  /** L2 penalty on leaf values. */
  readonly lambda: number;
  /** Least hessian weight of a child. */
  readonly minChildWeight: number;
}

/** Sums over the rows at a node, and the bounds that monotone splits above it set on its value. */
export interface NodeSums {
  readonly gradient: number;
  readonly hessian: number;
  readonly lowest: number;
  readonly highest: number;
}

export interface Split {
  readonly feature: number;
  /** Rows up to this bin go left; the number of edges means every known value. */
  readonly bin: number;
  readonly missingLeft: boolean;
  readonly gain: number;
}

/** The value that lowers the loss most within the node's bounds. */
export function bestValue({ gradient, hessian, lowest, highest }: NodeSums, lambda: number): number {
  return Math.min(highest, Math.max(lowest, -gradient / (hessian + lambda)));
}

/**
 * The split of a node that lowers the loss most, over the given features, their bins and both ways for missing values; undefined when none does.
 * `histogram` holds SLOTS for each of `features`, in their order. `monotone`: 1 where the value may only rise with the feature, -1 only fall, else 0.
 */
export function bestSplit(histogram: Float64Array, node: NodeSums, features: ArrayLike<number>, edgeCounts: ArrayLike<number>, monotone: Int8Array, settings: SplitSettings): Split | undefined {
  const { lambda, minChildWeight } = settings;
  const { gradient, hessian, lowest, highest } = node;
  const bounded = lowest !== Number.NEGATIVE_INFINITY || highest !== Number.POSITIVE_INFINITY;
  /** Twice the loss that a value saves. */
  const saved = (g: number, h: number, value: number) => -(2 * g + (h + lambda) * value) * value;
  const whole = saved(gradient, hessian, bestValue(node, lambda));
  let direction = 0;
  const gainOf = (leftGradient: number, leftHessian: number): number => {
    const rightGradient = gradient - leftGradient;
    const rightHessian = hessian - leftHessian;
    if (leftHessian < minChildWeight || rightHessian < minChildWeight) return 0;
    if (!bounded && direction === 0) {
      return (leftGradient * leftGradient) / (leftHessian + lambda) + (rightGradient * rightGradient) / (rightHessian + lambda) - whole;
    }
    const left = Math.min(highest, Math.max(lowest, -leftGradient / (leftHessian + lambda)));
    const right = Math.min(highest, Math.max(lowest, -rightGradient / (rightHessian + lambda)));
    if (direction * (right - left) < 0) return 0;
    return saved(leftGradient, leftHessian, left) + saved(rightGradient, rightHessian, right) - whole;
  };

  let best = { feature: -1, bin: 0, missingLeft: false, gain: 1e-6 };
  for (let place = 0; place < features.length; place += 1) {
    const feature = features[place] as number;
    const offset = place * SLOTS;
    const missingGradient = histogram[offset + MISSING] as number;
    const missingHessian = histogram[offset + MISSING + 1] as number;
    const edges = edgeCounts[feature] as number;
    direction = monotone[feature] as number;
    let leftGradient = 0;
    let leftHessian = 0;
    for (let bin = 0; bin <= edges; bin += 1) {
      leftGradient += histogram[offset + 2 * bin] as number;
      leftHessian += histogram[offset + 2 * bin + 1] as number;
      const gain = gainOf(leftGradient, leftHessian);
      if (gain > best.gain && (bin < edges || missingHessian > 0)) best = { feature, bin, missingLeft: false, gain };
      if (missingHessian > 0 && bin < edges) {
        const gainLeft = gainOf(leftGradient + missingGradient, leftHessian + missingHessian);
        if (gainLeft > best.gain) best = { feature, bin, missingLeft: true, gain: gainLeft };
      }
    }
  }
  return best.feature < 0 ? undefined : best;
}

/** The bounds of the two children of a split on a feature of that direction: a monotone split keeps both sides on their side of the middle. */
export function childBounds(node: NodeSums, left: number, right: number, direction: number): { left: Bounds; right: Bounds } {
  const { lowest, highest } = node;
  const middle = (left + right) / 2;
  if (direction > 0) return { left: { lowest, highest: middle }, right: { lowest: middle, highest } };
  if (direction < 0) return { left: { lowest: middle, highest }, right: { lowest, highest: middle } };
  return { left: { lowest, highest }, right: { lowest, highest } };
}

type Bounds = Pick<NodeSums, 'lowest' | 'highest'>;
