import { type Forest, childOf } from '../forest.ts';
import { ModelError } from '../model-error.ts';

/** A node of a tree as it was read: a value at most the threshold, or a missing one when so learnt, goes left. */
export type ReadNode =
  | { readonly kind: 'leaf'; readonly value: number; readonly cover: number }
  | { readonly kind: 'split'; readonly feature: number; readonly threshold: number; readonly missingLeft: boolean; readonly cover: number; readonly left: ReadNode; readonly right: ReadNode };

/** A forest written by another program. */
export interface ReadForest {
  readonly format: 'xgboost' | 'lightgbm' | 'onnx';
  readonly forest: Forest;
  readonly featureCount: number;
  /** As the file names them; null when it names none. */
  readonly featureNames: readonly string[] | null;
  /** Whether the file says how many training rows reached each node. */
  readonly hasCovers: boolean;
  /** What was taken how, for the model card. */
  readonly note: string;
}

/** The longest path that the Shapley values are computed for. */
const DEEPEST = 16;

export function refused(why: string, cause?: unknown): ModelError {
  return new ModelError('MODEL_IMPORT_REFUSED', why, cause === undefined ? undefined : { cause });
}

/** Called by readers before they go one level down: ends a tree that is too deep, and one that bites its own tail. */
export function checkDepth(depth: number): void {
  if (depth > DEEPEST) throw refused(`A tree is deeper than ${DEEPEST} levels; train it with a depth limit.`);
}

/** Lays the trees out in flat arrays. Leaf values become float32, as ONNX keeps them. */
export function forestOf(base: number, trees: readonly ReadNode[]): Forest {
  if (trees.length === 0) throw refused('The file holds no tree.');
  const forest: Forest = { base: Math.fround(base), roots: [], feature: [], threshold: [], left: [], right: [], missingLeft: [], value: [], cover: [] };
  const place = (node: ReadNode): number => {
    const split = node.kind === 'split';
    const finite = split ? Number.isInteger(node.feature) && node.feature >= 0 && !Number.isNaN(node.threshold) : Number.isFinite(node.value);
    if (!finite) throw refused('A node has no usable number.');
    const index = forest.feature.push(split ? node.feature : -1) - 1;
    forest.threshold.push(split ? node.threshold : 0);
    forest.left.push(-1);
    forest.right.push(-1);
    forest.missingLeft.push(split && node.missingLeft ? 1 : 0);
    forest.value.push(split ? 0 : Math.fround(node.value));
    forest.cover.push(node.cover);
    if (split) {
      forest.left[index] = place(node.left);
      forest.right[index] = place(node.right);
    }
    return index;
  };
  for (const tree of trees) forest.roots.push(place(tree));
  return forest;
}

/** The forest with covers counted from rows, for files that do not say them. A leaf that no row reaches counts half a row, so that shares stay defined. */
export function withCountedCovers(forest: Forest, rows: Iterable<Float32Array>): Forest {
  const cover = new Array<number>(forest.feature.length).fill(0);
  for (const row of rows) {
    for (const root of forest.roots) {
      let node = root;
      while ((forest.feature[node] as number) >= 0) node = childOf(forest, node, row);
      cover[node] = (cover[node] as number) + 1;
    }
  }
  // Children stand after their parent: from the end, both are known when the parent is reached.
  for (let node = cover.length - 1; node >= 0; node -= 1) {
    const leaf = (forest.feature[node] as number) < 0;
    cover[node] = leaf ? cover[node] || 0.5 : (cover[forest.left[node] as number] as number) + (cover[forest.right[node] as number] as number);
  }
  return { ...forest, cover };
}
