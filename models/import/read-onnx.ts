import { below } from './float32.ts';
import { bytesOf, decode, floatsOf, integersOf, type ProtobufField, readFields, textOf } from './protobuf-reader.ts';
import { checkDepth, forestOf, type ReadForest, type ReadNode, refused } from './read-tree.ts';

/* Field numbers are those of onnx.proto; the operators are ai.onnx.ml TreeEnsembleClassifier and TreeEnsembleRegressor. */

const ENSEMBLES: readonly string[] = ['TreeEnsembleClassifier', 'TreeEnsembleRegressor'];
/** Operators that only rename or repack what the ensemble gives. */
const HARMLESS: readonly string[] = ['Identity', 'Cast', 'ZipMap'];

interface Ensemble {
  readonly operator: string;
  readonly integers: (name: string) => number[];
  readonly floats: (name: string) => number[];
  readonly strings: (name: string) => string[];
}

/** A forest from an ONNX file that holds one tree ensemble and nothing that computes beside it. Throws MODEL_IMPORT_REFUSED. */
export function readOnnx(bytes: Uint8Array): ReadForest {
  const graph = bytesOf(readFields(bytes), 7)[0];
  if (!graph) throw refused('The file is not an ONNX model: it has no graph.');
  const graphFields = readFields(graph);
  const nodes = bytesOf(graphFields, 1).map((node) => readFields(node));
  const operators = nodes.map((node) => textOf(node, 4));
  const others = operators.filter((operator) => !ENSEMBLES.includes(operator) && !HARMLESS.includes(operator));
  const ensembles = nodes.filter((_, index) => ENSEMBLES.includes(operators[index] as string));
  const [ensemble] = ensembles;
  if (!ensemble || ensembles.length > 1) throw refused(`The ONNX model is not one tree ensemble: it is made of ${[...new Set(operators)].join(', ') || 'nothing'}.`);
  if (others.length > 0) throw refused(`The ONNX model does more than its trees: ${[...new Set(others)].join(', ')}. Export the tree model alone, on the features as they are.`);
  return readEnsemble(attributesOf(ensemble), declaredWidth(graphFields));
}

function attributesOf(node: readonly ProtobufField[]): Ensemble {
  const attributes = new Map(bytesOf(node, 5).map((attribute) => readFields(attribute)).map((fields) => [textOf(fields, 1), fields]));
  const inDouble = [...attributes.keys()].filter((name) => name.endsWith('_as_tensor'));
  if (inDouble.length > 0) throw refused(`The ONNX trees are in double precision (${inDouble.join(', ')}); export them in float.`);
  return {
    operator: textOf(node, 4),
    integers: (name) => integersOf(attributes.get(name) ?? [], 8),
    floats: (name) => floatsOf(attributes.get(name) ?? [], 7),
    strings: (name) => {
      const fields = attributes.get(name) ?? [];
      return [...bytesOf(fields, 4), ...bytesOf(fields, 9)].map(decode);
    },
  };
}

/** The number of columns that the graph's first input declares; 0 when it leaves them open. */
function declaredWidth(graph: readonly ProtobufField[]): number {
  const step = (fields: readonly ProtobufField[], field: number) => readFields(bytesOf(fields, field)[0] ?? new Uint8Array());
  const shape = step(step(step(step(graph, 11), 2), 1), 2);
  const columns = bytesOf(shape, 1)[1];
  return (columns && integersOf(readFields(columns), 1)[0]) ?? 0;
}

function readEnsemble(ensemble: Ensemble, width: number): ReadForest {
  const scores = ensemble.operator === 'TreeEnsembleClassifier' ? classifierScores(ensemble) : regressorScores(ensemble);
  const ids = ensemble.integers('nodes_nodeids');
  const trees = ensemble.integers('nodes_treeids');
  const features = ensemble.integers('nodes_featureids');
  const modes = ensemble.strings('nodes_modes');
  const thresholds = ensemble.floats('nodes_values');
  const whenTrue = ensemble.integers('nodes_truenodeids');
  const whenFalse = ensemble.integers('nodes_falsenodeids');
  const missingTrue = ensemble.integers('nodes_missing_value_tracks_true');
  const hits = ensemble.floats('nodes_hitrates');
  for (const column of [trees, features, modes, thresholds, whenTrue, whenFalse]) if (column.length !== ids.length) throw refused('The ONNX ensemble names different numbers of nodes in its attributes.');
  const indexOf = new Map(ids.map((id, index) => [`${trees[index]}/${id}`, index]));

  const nodeAt = (tree: number, id: number, depth: number): ReadNode => {
    checkDepth(depth);
    const index = indexOf.get(`${tree}/${id}`);
    if (index === undefined) throw refused(`Tree ${tree} of the ONNX ensemble names a node ${id} that it does not have.`);
    const mode = modes[index] as string;
    const cover = hits[index] ?? 0;
    if (mode === 'LEAF') return { kind: 'leaf', value: scores.leaves.get(`${tree}/${id}`) ?? 0, cover };
    const turn = TURNS[mode];
    if (!turn) throw refused(`The ONNX ensemble splits by ${mode}; only ${Object.keys(TURNS).join(', ')} can be read.`);
    const onTrue = nodeAt(tree, whenTrue[index] as number, depth + 1);
    const onFalse = nodeAt(tree, whenFalse[index] as number, depth + 1);
    const value = Math.fround(thresholds[index] as number);
    const missingLeft = (missingTrue[index] === 1) === turn.trueIsLeft;
    return { kind: 'split', feature: features[index] as number, threshold: turn.strict ? below(value) : value, missingLeft, cover, left: turn.trueIsLeft ? onTrue : onFalse, right: turn.trueIsLeft ? onFalse : onTrue };
  };

  const roots = [...new Set(trees)].map((tree) => rootOf(tree, ids, trees, [whenTrue, whenFalse], modes));
  const forest = forestOf(scores.base, roots.map(({ tree, id }) => nodeAt(tree, id, 0)));
  return { format: 'onnx', forest, featureCount: features.reduce((most, feature) => Math.max(most, feature + 1), width), featureNames: null, hasCovers: coversAddUp(forest), note: `${roots.length} trees, ${scores.note}` };
}

/** Which side `true` is of `value <= threshold`, and whether a value at the threshold goes right. A comparison with a missing value is false. */
const TURNS: Readonly<Record<string, { readonly trueIsLeft: boolean; readonly strict: boolean }>> = {
  BRANCH_LEQ: { trueIsLeft: true, strict: false },
  BRANCH_LT: { trueIsLeft: true, strict: true },
  BRANCH_GT: { trueIsLeft: false, strict: false },
  BRANCH_GTE: { trueIsLeft: false, strict: true },
};

/** The node of a tree that no other points to. */
function rootOf(tree: number, ids: readonly number[], trees: readonly number[], children: readonly (readonly number[])[], modes: readonly string[]): { tree: number; id: number } {
  const own = [...ids.keys()].filter((index) => trees[index] === tree);
  const pointedTo = new Set(own.flatMap((index) => (modes[index] === 'LEAF' ? [] : children.map((child) => child[index]))));
  const [root, ...more] = own.filter((index) => !pointedTo.has(ids[index] as number));
  if (root === undefined || more.length > 0) throw refused(`Tree ${tree} of the ONNX ensemble has no single root.`);
  return { tree, id: ids[root] as number };
}

interface Scores {
  readonly base: number;
  readonly leaves: ReadonlyMap<string, number>;
  readonly note: string;
}

function classifierScores(ensemble: Ensemble): Scores {
  const classes = Math.max(ensemble.integers('classlabels_int64s').length, ensemble.strings('classlabels_strings').length);
  if (classes !== 2) throw refused(`The ONNX ensemble has ${classes} classes; only two can be read.`);
  const ids = new Set(ensemble.integers('class_ids'));
  const base = ensemble.floats('base_values');
  const transform = ensemble.strings('post_transform')[0] ?? 'NONE';
  const leaves = leafWeights(ensemble, 'class', ids.size > 1 ? 1 : undefined);
  if (transform === 'LOGISTIC' && ids.size === 1) return { base: base[0] ?? 0, leaves, note: 'log-odds' };
  if (transform !== 'NONE') throw refused(`The ONNX ensemble turns its sums by ${transform} over ${ids.size} classes; only LOGISTIC over one, or NONE, can be read.`);
  // Sums of probabilities, as of a random forest: 4 (p - 1/2) has the slope of the log-odds at 1/2, and the calibration bends it to what was seen.
  return { base: 4 * (base[base.length - 1] ?? 0) - 2, leaves: new Map([...leaves].map(([leaf, weight]) => [leaf, 4 * weight])), note: 'mean probabilities taken as scores 4 (p - 1/2)' };
}

function regressorScores(ensemble: Ensemble): Scores {
  const aggregate = ensemble.strings('aggregate_function')[0] ?? 'SUM';
  if (aggregate !== 'SUM' || (ensemble.strings('post_transform')[0] ?? 'NONE') !== 'NONE') throw refused(`The ONNX regressor takes the ${aggregate} of its trees; only a plain SUM can be read.`);
  if (new Set(ensemble.integers('target_ids')).size !== 1) throw refused('The ONNX regressor has more than one target.');
  return { base: ensemble.floats('base_values')[0] ?? 0, leaves: leafWeights(ensemble, 'target', undefined), note: 'sums of a regressor taken as log-odds' };
}

/** The weight at each leaf, "tree/node", of one class when several are given. */
function leafWeights(ensemble: Ensemble, prefix: 'class' | 'target', wanted: number | undefined): Map<string, number> {
  const [trees, nodes, ids, weights] = [ensemble.integers(`${prefix}_treeids`), ensemble.integers(`${prefix}_nodeids`), ensemble.integers(`${prefix}_ids`), ensemble.floats(`${prefix}_weights`)];
  if (trees.length !== weights.length || nodes.length !== weights.length || ids.length !== weights.length) throw refused('The ONNX ensemble names different numbers of leaves in its attributes.');
  return new Map(weights.flatMap((weight, index) => (wanted === undefined || ids[index] === wanted ? [[`${trees[index]}/${nodes[index]}`, weight] as const] : [])));
}

/** Exporters that do not know the covers write 1 everywhere. */
function coversAddUp({ feature, cover, left, right }: ReadForest['forest']): boolean {
  return cover.every((own, node) => {
    if ((feature[node] as number) < 0) return own > 0;
    return Math.abs((cover[left[node] as number] as number) + (cover[right[node] as number] as number) - own) <= 1e-3 * own;
  });
}
