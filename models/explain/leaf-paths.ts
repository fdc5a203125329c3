import type { Forest } from '../forest.ts';

/** More features on one path than bits in a set of them; no forest that is of use comes near. */
export const MOST_FEATURES_OF_A_PATH = 30;

/** The paths from the roots to the leaves of a forest in flat arrays: all that explaining needs of the forest and that no row changes. */
export interface LeafPaths {
  /** Of each inner node: what it tests. */
  readonly feature: Int32Array;
  readonly threshold: Float64Array;
  readonly missingLeft: Uint8Array;
  /** Of each leaf: what it adds, and where its steps and its features end; they begin where those of the leaf before end. */
  readonly value: Float64Array;
  readonly stepEnd: Int32Array;
  readonly featureEnd: Int32Array;
  /** Steps: the inner node, the side that leads to the leaf (1 = left), and which of the leaf's features it tests. */
  readonly stepNode: Int32Array;
  readonly stepLeft: Uint8Array;
  readonly stepFeature: Int32Array;
  /** Features of the leaves, each once, and the share of the training rows that keep to the path at all of its steps together. */
  readonly leafFeature: Int32Array;
  readonly share: Float64Array;
}

interface Step {
  readonly inner: number;
  readonly left: number;
  readonly feature: number;
  readonly share: number;
}

/** Throws where a path has too many features, and where no training row reached a node: then it cannot be said what stands for an unknown value. */
export function leafPaths(forest: Forest): LeafPaths {
  const inner = { feature: [] as number[], threshold: [] as number[], missingLeft: [] as number[] };
  const leaf = { value: [] as number[], stepEnd: [] as number[], featureEnd: [] as number[] };
  const steps = { node: [] as number[], left: [] as number[], feature: [] as number[] };
  const ofLeaf = { feature: [] as number[], share: [] as number[] };
  const path: Step[] = [];
  const visit = (node: number): void => {
    const feature = forest.feature[node] as number;
    if (feature < 0) {
      const features = [...new Set(path.map((step) => step.feature))];
      if (features.length > MOST_FEATURES_OF_A_PATH) throw new Error(`a path of the forest tests more than ${MOST_FEATURES_OF_A_PATH} features`);
      for (const step of path) {
        steps.node.push(step.inner);
        steps.left.push(step.left);
        steps.feature.push(features.indexOf(step.feature));
      }
      for (const each of features) {
        ofLeaf.feature.push(each);
        ofLeaf.share.push(path.reduce((share, step) => (step.feature === each ? share * step.share : share), 1));
      }
      leaf.value.push(forest.value[node] as number);
      leaf.stepEnd.push(steps.node.length);
      leaf.featureEnd.push(ofLeaf.feature.length);
      return;
    }
    const cover = forest.cover[node] as number;
    if (!(cover > 0)) throw new Error('the forest does not say how many rows reached its nodes');
    const place = inner.feature.push(feature) - 1;
    inner.threshold.push(forest.threshold[node] as number);
    inner.missingLeft.push(forest.missingLeft[node] as number);
    for (const left of [1, 0]) {
      const child = (left === 1 ? forest.left[node] : forest.right[node]) as number;
      path.push({ inner: place, left, feature, share: (forest.cover[child] as number) / cover });
      visit(child);
      path.pop();
    }
  };
  forest.roots.forEach(visit);
  return {
    feature: Int32Array.from(inner.feature),
    threshold: Float64Array.from(inner.threshold),
    missingLeft: Uint8Array.from(inner.missingLeft),
    value: Float64Array.from(leaf.value),
    stepEnd: Int32Array.from(leaf.stepEnd),
    featureEnd: Int32Array.from(leaf.featureEnd),
    stepNode: Int32Array.from(steps.node),
    stepLeft: Uint8Array.from(steps.left),
    stepFeature: Int32Array.from(steps.feature),
    leafFeature: Int32Array.from(ofLeaf.feature),
    share: Float64Array.from(ofLeaf.share),
  };
}
