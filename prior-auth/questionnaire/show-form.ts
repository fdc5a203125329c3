import { answerProblems } from './answer-problems.ts';
import type { AnswerProblem, ShownItem } from './form.ts';
import { childPath, encodeLinkId, type ItemState } from './form-state.ts';

/** The visible items: enabled and not hidden. Questions nested under a question appear with each answer of it. */
export function showItems(states: readonly ItemState[], parentPath: string, formProblems: readonly AnswerProblem[]): ShownItem[] {
  return states.flatMap((state): ShownItem[] => {
    const { definition } = state;
    if (!state.enabled || definition.hidden) return [];
    const path = parentPath + encodeLinkId(definition.linkId);
    const { source: _source, hidden: _hidden, initial: _initial, enableWhen: _when, enableBehavior: _behavior, enableWhenExpression: _expression,
      calculatedExpression: _calculated, initialExpression: _initialExpression, variables: _variables, items: _items, ...look } = definition;
    const problemsAt = (place: string) => formProblems.filter((problem) => problem.path === place);
    if (definition.type === 'group') {
      return state.instances.map((instance, index): ShownItem => {
        const instancePath = definition.repeats ? `${path}[${index}]` : path;
        return {
          ...look,
          path: instancePath,
          answers: [],
          problems: problemsAt(instancePath),
          items: showItems(instance.items, `${instancePath}/`, formProblems),
          ...(definition.repeats ? { instance: { index, count: state.instances.length } } : {}),
        };
      });
    }
    return [{
      ...look,
      path,
      problems: [...answerProblems(path, state), ...problemsAt(path)],
      items: [],
      answers: state.answers.map(({ value, origin, author, items }, index) => ({
        index, value, origin, ...(author ? { author } : {}), items: showItems(items, childPath(path, definition, index), formProblems),
      })),
    }];
  });
}

/** Groups before their children, questions before what hangs under their answers. */
export function flatten(items: readonly ShownItem[]): ShownItem[] {
  return items.flatMap((item) => [item, ...flatten(item.items), ...item.answers.flatMap((answer) => flatten(answer.items))]);
}
