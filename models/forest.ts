/** A boosted forest of binary trees in flat arrays, for log-odds. A row goes left when its value is at most the threshold, or missing and `missingLeft`. */
export interface Forest {
  /** Log-odds before the first tree. */
  readonly base: number;
  /** Index of each tree's first node. */
  readonly roots: number[];
  /** Feature tested at a node; -1 at a leaf. */
  readonly feature: number[];
  readonly threshold: number[];
  readonly left: number[];
  readonly right: number[];
  /** 1 when a missing value goes left. */
  readonly missingLeft: number[];
  /** Log-odds a leaf adds; 0 elsewhere. */
  readonly value: number[];
  /** Hessian weight of the training rows that reached the node. */
  readonly cover: number[];
}

/** The child a row goes to from an inner node. */
export function childOf(forest: Forest, node: number, row: Float32Array): number {
  const value = row[forest.feature[node] as number] as number;
  const goesLeft = Number.isNaN(value) ? forest.missingLeft[node] === 1 : value <= (forest.threshold[node] as number);
  return (goesLeft ? forest.left[node] : forest.right[node]) as number;
}

/** Log-odds of one row, by walking the trees. */
export function marginOf(forest: Forest, row: Float32Array): number {
  let sum = forest.base;
  for (const root of forest.roots) {
    let node = root;
    while ((forest.feature[node] as number) >= 0) node = childOf(forest, node, row);
    sum += forest.value[node] as number;
  }
  return sum;
}

export function sigmoid(logOdds: number): number {
  return 1 / (1 + Math.exp(-logOdds));
}
