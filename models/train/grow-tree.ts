import type { Forest } from '../forest.ts';
import { type BinnedColumn, MISSING_BIN } from './bins.ts';
import { bestSplit, bestValue, childBounds, type NodeSums, type Split, type SplitSettings, SLOTS } from './split.ts';

/** Every known value is at most this; with missing values on the right it splits known from unknown. */
const LARGEST_FLOAT32 = 3.4028234663852886e38;

export interface TreeSettings extends SplitSettings {
  readonly depth: number;
  readonly learningRate: number;
}

/** A node waiting to be split; its rows are `from` up to `to` in the grower's order. */
interface Place extends NodeSums {
  readonly node: number;
  readonly from: number;
  readonly to: number;
  /** Empty at the last level, where nothing is split. */
  readonly histogram: Float64Array | undefined;
}

export interface TreeGrower {
  readonly forest: Forest;
  /** Adds a tree fitted to the gradients of the given rows, splitting on the given features, and moves every row's margin. */
  grow(rows: Int32Array, features: Int32Array): void;
}

/** Grows trees level by level. A node's histogram is its parent's less its sibling's, so only the smaller child's rows are counted. */
export function createTreeGrower(columns: readonly BinnedColumn[], base: number, state: { readonly gradients: Float64Array; readonly hessians: Float64Array; readonly margins: Float64Array }, monotone: Int8Array, settings: TreeSettings): TreeGrower {
  const { gradients, hessians, margins } = state;
  const forest: Forest = { base, roots: [], feature: [], threshold: [], left: [], right: [], missingLeft: [], value: [], cover: [] };
  const splitBin: number[] = [];
  const edgeCounts = columns.map((column) => column.edges.length);
  const order = new Int32Array(margins.length);
  const aside = new Int32Array(margins.length);
  const orderedGradients = new Float64Array(margins.length);
  const orderedHessians = new Float64Array(margins.length);
  const inTree = new Uint8Array(margins.length);
  const spare: Float64Array[] = [];

  function addNode(cover: number): number {
    forest.feature.push(-1);
    forest.threshold.push(0);
    forest.left.push(-1);
    forest.right.push(-1);
    forest.missingLeft.push(0);
    forest.value.push(0);
    splitBin.push(0);
    return forest.cover.push(cover) - 1;
  }

  function countRows(from: number, to: number, features: Int32Array): Float64Array {
    const histogram = spare.pop()?.fill(0) ?? new Float64Array(columns.length * SLOTS);
    for (let at = from; at < to; at += 1) {
      const row = order[at] as number;
      orderedGradients[at] = gradients[row] as number;
      orderedHessians[at] = hessians[row] as number;
    }
    for (let place = 0; place < features.length; place += 1) {
      const { bins } = columns[features[place] as number] as BinnedColumn;
      const offset = place * SLOTS;
      for (let at = from; at < to; at += 1) {
        const slot = offset + 2 * (bins[order[at] as number] as number);
        histogram[slot] = (histogram[slot] as number) + (orderedGradients[at] as number);
        histogram[slot + 1] = (histogram[slot + 1] as number) + (orderedHessians[at] as number);
      }
    }
    return histogram;
  }

  /** Moves the rows that go left to the front of the node's span, keeping the order on both sides, and adds up their gradients. */
  function partition(place: Place, split: Split): { middle: number; gradient: number; hessian: number } {
    const { bins } = columns[split.feature] as BinnedColumn;
    let middle = place.from;
    let waiting = 0;
    let gradient = 0;
    let hessian = 0;
    for (let at = place.from; at < place.to; at += 1) {
      const row = order[at] as number;
      const bin = bins[row] as number;
      if (bin === MISSING_BIN ? split.missingLeft : bin <= split.bin) {
        order[middle] = row;
        middle += 1;
        gradient += gradients[row] as number;
        hessian += hessians[row] as number;
      } else {
        aside[waiting] = row;
        waiting += 1;
      }
    }
    order.set(aside.subarray(0, waiting), middle);
    return { middle, gradient, hessian };
  }

  function makeLeaf(place: Place): void {
    const value = Math.fround(bestValue(place, settings.lambda) * settings.learningRate);
    forest.value[place.node] = value;
    for (let at = place.from; at < place.to; at += 1) margins[order[at] as number] = (margins[order[at] as number] as number) + value;
    if (place.histogram) spare.push(place.histogram);
  }

  function splitNode(place: Place, split: Split, features: Int32Array, last: boolean): [Place, Place] {
    const { middle, gradient, hessian } = partition(place, split);
    const leftSums = { gradient, hessian, lowest: place.lowest, highest: place.highest };
    const rightSums = { ...leftSums, gradient: place.gradient - gradient, hessian: place.hessian - hessian };
    const bounds = childBounds(place, bestValue(leftSums, settings.lambda), bestValue(rightSums, settings.lambda), monotone[split.feature] as number);
    const { edges } = columns[split.feature] as BinnedColumn;
    const left = addNode(leftSums.hessian);
    const right = addNode(rightSums.hessian);
    forest.feature[place.node] = split.feature;
    forest.threshold[place.node] = edges[split.bin] ?? LARGEST_FLOAT32;
    forest.left[place.node] = left;
    forest.right[place.node] = right;
    forest.missingLeft[place.node] = split.missingLeft ? 1 : 0;
    splitBin[place.node] = split.bin;
    const [leftHistogram, rightHistogram] = last ? [] : childHistograms(place, middle, features);
    if (last && place.histogram) spare.push(place.histogram);
    return [
      { ...leftSums, ...bounds.left, node: left, from: place.from, to: middle, histogram: leftHistogram },
      { ...rightSums, ...bounds.right, node: right, from: middle, to: place.to, histogram: rightHistogram },
    ];
  }

  function childHistograms(place: Place, middle: number, features: Int32Array): [Float64Array, Float64Array] {
    const leftSmaller = middle - place.from <= place.to - middle;
    const counted = leftSmaller ? countRows(place.from, middle, features) : countRows(middle, place.to, features);
    const rest = place.histogram as Float64Array;
    for (let slot = 0; slot < features.length * SLOTS; slot += 1) rest[slot] = (rest[slot] as number) - (counted[slot] as number);
    return leftSmaller ? [counted, rest] : [rest, counted];
  }

  /** Rows the tree did not learn from find their leaf by their bins. */
  function moveOtherRows(root: number): void {
    for (let row = 0; row < margins.length; row += 1) {
      if (inTree[row] === 1) continue;
      let node = root;
      for (let feature = forest.feature[node] as number; feature >= 0; feature = forest.feature[node] as number) {
        const bin = (columns[feature] as BinnedColumn).bins[row] as number;
        const goesLeft = bin === MISSING_BIN ? forest.missingLeft[node] === 1 : bin <= (splitBin[node] as number);
        node = (goesLeft ? forest.left[node] : forest.right[node]) as number;
      }
      margins[row] = (margins[row] as number) + (forest.value[node] as number);
    }
  }

  return {
    forest,
    grow(rows, features) {
      order.set(rows);
      inTree.fill(0);
      let gradient = 0;
      let hessian = 0;
      for (const row of rows) {
        inTree[row] = 1;
        gradient += gradients[row] as number;
        hessian += hessians[row] as number;
      }
      const root = addNode(hessian);
      forest.roots.push(root);
      const unbounded = { lowest: Number.NEGATIVE_INFINITY, highest: Number.POSITIVE_INFINITY };
      let level: Place[] = [{ gradient, hessian, ...unbounded, node: root, from: 0, to: rows.length, histogram: countRows(0, rows.length, features) }];
      for (let depth = 0; level.length > 0; depth += 1) {
        level = level.flatMap((place) => {
          const split = place.histogram && bestSplit(place.histogram, place, features, edgeCounts, monotone, settings);
          if (split) return splitNode(place, split, features, depth + 1 === settings.depth);
          makeLeaf(place);
          return [];
        });
      }
      moveOtherRows(root);
    },
  };
}
