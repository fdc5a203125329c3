import { z } from 'zod';
import { below } from './float32.ts';
import { checkDepth, forestOf, type ReadForest, type ReadNode, refused } from './read-tree.ts';

const numbers = z.array(z.number());
const count = z.coerce.number().int();

const tree = z.object({
  left_children: numbers, right_children: numbers, split_indices: numbers, split_conditions: numbers, sum_hessian: numbers,
  default_left: z.array(z.union([z.number(), z.boolean()])),
  split_type: numbers.optional(),
});

/** XGBoost's JSON since 1.0. Since 3.1 the base score is written as a list. */
const file = z.object({
  learner: z.object({
    attributes: z.record(z.string(), z.string()).default({}),
    feature_names: z.array(z.string()).default([]),
    objective: z.object({ name: z.string() }),
    learner_model_param: z.object({ base_score: z.string(), num_feature: count, num_class: count.default(0) }),
    gradient_booster: z.object({
      name: z.string(),
      model: z.object({ trees: z.array(tree).min(1), gbtree_model_param: z.object({ num_parallel_tree: count.default(1) }).default({ num_parallel_tree: 1 }) }).optional(),
    }),
  }),
});

type Tree = z.infer<typeof tree>;

/** A forest from XGBoost's `save_model("….json")`. After early stopping the trees past the best iteration are left out, as XGBoost's classifier does. Throws MODEL_IMPORT_REFUSED. */
export function readXgboost(json: unknown): ReadForest {
  const parsed = file.safeParse(json);
  if (!parsed.success) throw refused(`The XGBoost JSON is not complete: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}.`);
  const { attributes, feature_names: names, objective, learner_model_param: about, gradient_booster: booster } = parsed.data.learner;
  if (objective.name !== 'binary:logistic') throw refused(`The XGBoost model has the objective ${objective.name}; only binary:logistic can be read.`);
  if (booster.name !== 'gbtree' || !booster.model) throw refused(`The XGBoost model is a ${booster.name}; only gbtree can be read.`);
  if (about.num_class > 1) throw refused(`The XGBoost model has ${about.num_class} classes; only two can be read.`);
  const { trees, gbtree_model_param: shape } = booster.model;
  const best = Number(attributes['best_iteration'] ?? Number.NaN);
  const kept = Number.isInteger(best) ? trees.slice(0, (best + 1) * Math.max(1, shape.num_parallel_tree)) : trees;
  const share = baseShare(about.base_score);
  return {
    format: 'xgboost',
    forest: forestOf(Math.log(share / (1 - share)), kept.map((each) => nodeAt(each, 0, 0))),
    featureCount: about.num_feature,
    featureNames: names.length > 0 ? names : null,
    hasCovers: true,
    note: kept.length < trees.length ? `${kept.length} of ${trees.length} trees, up to the best iteration` : `${trees.length} trees`,
  };
}

function baseShare(written: string): number {
  const values = written.replace(/^\[|\]$/g, '').split(',').map(Number);
  const [share] = values;
  if (values.length !== 1 || share === undefined || !(share > 0 && share < 1)) throw refused(`The XGBoost base score ${written} is not one probability.`);
  return share;
}

function nodeAt(tree: Tree, node: number, depth: number): ReadNode {
  checkDepth(depth);
  const left = tree.left_children[node];
  const right = tree.right_children[node];
  const condition = tree.split_conditions[node];
  const cover = tree.sum_hessian[node];
  if (left === undefined || right === undefined || condition === undefined || cover === undefined) throw refused(`A tree names a node ${node} that it does not have.`);
  if (left === -1) return { kind: 'leaf', value: condition, cover };
  if (tree.split_type?.[node] === 1) throw refused('The XGBoost model splits on raw categories; encode them as numbers before training.');
  return {
    kind: 'split',
    feature: tree.split_indices[node] ?? Number.NaN,
    threshold: below(Math.fround(condition)),
    missingLeft: Boolean(tree.default_left[node]),
    cover,
    left: nodeAt(tree, left, depth + 1),
    right: nodeAt(tree, right, depth + 1),
  };
}
