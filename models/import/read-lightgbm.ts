import { z } from 'zod';
import { atMost } from './float32.ts';
import { checkDepth, forestOf, type ReadForest, type ReadNode, refused } from './read-tree.ts';

/* LightGBM compares `value <= threshold`; covers are row counts, as in its own contributions. The first tree carries the base. */

const jsonNode = z.union([
  z.object({ leaf_value: z.number(), leaf_count: z.number().default(0) }),
  z.object({
    split_feature: z.number(), threshold: z.union([z.number(), z.string()]), decision_type: z.string(), default_left: z.boolean(), missing_type: z.string(),
    internal_count: z.number(), left_child: z.unknown(), right_child: z.unknown(),
  }),
]);

const jsonFile = z.object({
  num_class: z.number(), objective: z.string(), average_output: z.union([z.boolean(), z.number()]).default(false), feature_names: z.array(z.string()),
  tree_info: z.array(z.object({ tree_structure: z.unknown() })),
});

/** A forest from LightGBM's `dump_model()`. Throws MODEL_IMPORT_REFUSED. */
export function readLightgbmJson(json: unknown): ReadForest {
  const parsed = jsonFile.safeParse(json);
  if (!parsed.success) throw refused(`The LightGBM dump is not complete: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}.`);
  const { num_class: classes, objective, average_output: averaged, feature_names: names, tree_info: trees } = parsed.data;
  const scale = scaleOf({ classes, objective, averaged: Boolean(averaged) });
  return lightgbmForest(names, trees.map((tree) => fromJson(tree.tree_structure, scale, 0)));
}

function fromJson(json: unknown, scale: number, depth: number): ReadNode {
  checkDepth(depth);
  const parsed = jsonNode.safeParse(json);
  if (!parsed.success) throw refused('A node of the LightGBM dump cannot be read; trees with linear leaves are not supported.');
  const node = parsed.data;
  if ('leaf_value' in node) return { kind: 'leaf', value: node.leaf_value * scale, cover: node.leaf_count };
  if (node.decision_type !== '<=') throw refusedCategories();
  const threshold = Number(node.threshold);
  return {
    kind: 'split',
    feature: node.split_feature,
    threshold: atMost(threshold),
    missingLeft: goesLeftWhenMissing(node.missing_type, node.default_left, threshold),
    cover: node.internal_count,
    left: fromJson(node.left_child, scale, depth + 1),
    right: fromJson(node.right_child, scale, depth + 1),
  };
}

/** A forest from LightGBM's `save_model()` text. Throws MODEL_IMPORT_REFUSED. */
export function readLightgbmText(text: string): ReadForest {
  const [head = '', ...blocks] = text.split(/^end of trees/m, 1)[0]?.split(/^(?=Tree=)/m) ?? [];
  const about = fieldsOf(head);
  const scale = scaleOf({ classes: Number(about.get('num_class')), objective: about.get('objective') ?? 'none', averaged: /^average_output/m.test(head) });
  return lightgbmForest(words(about, 'feature_names'), blocks.map((block) => fromText(fieldsOf(block), scale)));
}

type Fields = ReadonlyMap<string, string>;

function fieldsOf(block: string): Fields {
  return new Map(block.split('\n').flatMap((line) => (line.includes('=') ? [[line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)] as const] : [])));
}

function words(fields: Fields, name: string): string[] {
  return (fields.get(name) ?? '').split(' ').filter(Boolean);
}

/** Bits of `decision_type`: 1 a split by categories, 2 missing goes left, the next two the kind of missing value. */
const MISSING_TYPES = ['None', 'Zero', 'NaN'] as const;

function fromText(tree: Fields, scale: number): ReadNode {
  if (tree.get('is_linear') === '1') throw refused('The LightGBM model has linear leaves; only constant ones can be read.');
  const column = (name: string) => words(tree, name).map(Number);
  const [features, thresholds, decisions, lefts, rights, internal, values, counts] = (
    ['split_feature', 'threshold', 'decision_type', 'left_child', 'right_child', 'internal_count', 'leaf_value', 'leaf_count'] as const
  ).map(column) as [number[], number[], number[], number[], number[], number[], number[], number[]];
  const nodeAt = (index: number, depth: number): ReadNode => {
    checkDepth(depth);
    if (index < 0) return { kind: 'leaf', value: (values[~index] ?? Number.NaN) * scale, cover: counts[~index] ?? 0 };
    const [left, right, decision, threshold] = [lefts[index], rights[index], decisions[index], thresholds[index]];
    if (left === undefined || right === undefined || decision === undefined || threshold === undefined) throw refused(`A LightGBM tree names a node ${index} that it does not have.`);
    if (decision & 1) throw refusedCategories();
    return {
      kind: 'split',
      feature: features[index] ?? Number.NaN,
      threshold: atMost(threshold),
      missingLeft: goesLeftWhenMissing(MISSING_TYPES[(decision >> 2) & 3] ?? 'unknown', (decision & 2) !== 0, threshold),
      cover: internal[index] ?? 0,
      left: nodeAt(left, depth + 1),
      right: nodeAt(right, depth + 1),
    };
  };
  return nodeAt(features.length === 0 ? -1 : 0, 0);
}

function goesLeftWhenMissing(missingType: string, defaultLeft: boolean, threshold: number): boolean {
  if (missingType === 'NaN') return defaultLeft;
  // Trained without missing values: LightGBM then takes a missing value for 0.
  if (missingType === 'None') return threshold >= 0;
  throw refused(`The LightGBM model treats missing values as "${missingType}"; train without zero_as_missing.`);
}

function refusedCategories() {
  return refused('The LightGBM model splits on raw categories; encode them as numbers before training.');
}

/** What leaf values are multiplied by to be log-odds. */
function scaleOf({ classes, objective, averaged }: { classes: number; objective: string; averaged: boolean }): number {
  const sigmoid = /^binary(?: sigmoid:([\d.eE+-]+))?/.exec(objective);
  if (!sigmoid || classes !== 1) throw refused(`The LightGBM model has the objective ${objective} with ${classes} classes; only binary can be read.`);
  if (averaged) throw refused('The LightGBM model averages its trees (random forest); only boosted trees can be read.');
  return Number(sigmoid[1] ?? 1);
}

function lightgbmForest(names: readonly string[], trees: readonly ReadNode[]): ReadForest {
  const forest = forestOf(0, trees);
  return { format: 'lightgbm', forest, featureCount: names.length, featureNames: names, hasCovers: forest.cover.every((cover) => cover > 0), note: `${trees.length} trees` };
}
