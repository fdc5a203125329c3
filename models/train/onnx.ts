import type { Forest } from '../forest.ts';
import { ProtobufWriter } from './protobuf.ts';

/* Field numbers are those of onnx.proto (ONNX IR version 8); the operator is ai.onnx.ml TreeEnsembleClassifier, version 3. */

const ATTRIBUTE = { float: 1, string: 3, floats: 6, integers: 7, strings: 8 } as const;
const ELEMENT = { float: 1, int64: 7 } as const;

const attribute = {
  float: (name: string, value: number) => new ProtobufWriter().text(1, name).float(2, value).integer(20, ATTRIBUTE.float),
  string: (name: string, value: string) => new ProtobufWriter().text(1, name).text(4, value).integer(20, ATTRIBUTE.string),
  floats: (name: string, values: readonly number[]) => new ProtobufWriter().text(1, name).floats(7, values).integer(20, ATTRIBUTE.floats),
  integers: (name: string, values: readonly number[]) => new ProtobufWriter().text(1, name).integers(8, values).integer(20, ATTRIBUTE.integers),
  strings: (name: string, values: readonly string[]) => values.reduce((writer, value) => writer.text(9, value), new ProtobufWriter().text(1, name)).integer(20, ATTRIBUTE.strings),
};

/** An ONNX file of a forest: input `X` float [N, features], outputs `label` int64 [N] and `probabilities` float [N, 2] (uncalibrated). */
export function writeOnnx(forest: Forest, featureCount: number, metadata: Readonly<Record<string, string>>): Buffer {
  const node = new ProtobufWriter().text(1, 'X').text(2, 'label').text(2, 'probabilities').text(3, 'forest').text(4, 'TreeEnsembleClassifier');
  for (const each of treeAttributes(forest)) node.message(5, each);
  node.text(7, 'ai.onnx.ml');
  const graph = new ProtobufWriter()
    .message(1, node)
    .text(2, 'forest')
    .message(11, tensor('X', ELEMENT.float, ['N', featureCount]))
    .message(12, tensor('label', ELEMENT.int64, ['N']))
    .message(12, tensor('probabilities', ELEMENT.float, ['N', 2]));
  const model = new ProtobufWriter()
    .integer(1, 8)
    .text(2, 'open-prior-auth')
    .message(7, graph)
    .message(8, new ProtobufWriter().text(1, '').integer(2, 15))
    .message(8, new ProtobufWriter().text(1, 'ai.onnx.ml').integer(2, 3));
  for (const [key, value] of Object.entries(metadata)) model.message(14, new ProtobufWriter().text(1, key).text(2, value));
  return model.finish();
}

function treeAttributes(forest: Forest): ProtobufWriter[] {
  const nodes = { tree: [] as number[], id: [] as number[], feature: [] as number[], mode: [] as string[], value: [] as number[], whenTrue: [] as number[], whenFalse: [] as number[], missing: [] as number[], hits: [] as number[] };
  const leaves = { tree: [] as number[], id: [] as number[], class: [] as number[], weight: [] as number[] };
  forest.roots.forEach((root, tree) => {
    const end = forest.roots[tree + 1] ?? forest.feature.length;
    for (let index = root; index < end; index += 1) {
      const leaf = (forest.feature[index] as number) < 0;
      nodes.tree.push(tree);
      nodes.id.push(index - root);
      nodes.feature.push(leaf ? 0 : (forest.feature[index] as number));
      nodes.mode.push(leaf ? 'LEAF' : 'BRANCH_LEQ');
      nodes.value.push(leaf ? 0 : (forest.threshold[index] as number));
      nodes.whenTrue.push(leaf ? 0 : (forest.left[index] as number) - root);
      nodes.whenFalse.push(leaf ? 0 : (forest.right[index] as number) - root);
      nodes.missing.push(leaf ? 0 : (forest.missingLeft[index] as number));
      nodes.hits.push(forest.cover[index] as number);
      if (leaf) {
        leaves.tree.push(tree);
        leaves.id.push(index - root);
        leaves.class.push(0);
        leaves.weight.push(forest.value[index] as number);
      }
    }
  });
  return [
    attribute.integers('nodes_treeids', nodes.tree),
    attribute.integers('nodes_nodeids', nodes.id),
    attribute.integers('nodes_featureids', nodes.feature),
    attribute.strings('nodes_modes', nodes.mode),
    attribute.floats('nodes_values', nodes.value),
    attribute.integers('nodes_truenodeids', nodes.whenTrue),
    attribute.integers('nodes_falsenodeids', nodes.whenFalse),
    attribute.integers('nodes_missing_value_tracks_true', nodes.missing),
    attribute.floats('nodes_hitrates', nodes.hits),
    attribute.integers('class_treeids', leaves.tree),
    attribute.integers('class_nodeids', leaves.id),
    attribute.integers('class_ids', leaves.class),
    attribute.floats('class_weights', leaves.weight),
    attribute.integers('classlabels_int64s', [0, 1]),
    attribute.floats('base_values', [forest.base]),
    attribute.string('post_transform', 'LOGISTIC'),
  ];
}

function tensor(name: string, element: number, dimensions: readonly (string | number)[]): ProtobufWriter {
  const shape = new ProtobufWriter();
  for (const dimension of dimensions) {
    shape.message(1, typeof dimension === 'string' ? new ProtobufWriter().text(2, dimension) : new ProtobufWriter().integer(1, dimension));
  }
  return new ProtobufWriter().text(1, name).message(2, new ProtobufWriter().message(1, new ProtobufWriter().integer(1, element).message(2, shape)));
}
