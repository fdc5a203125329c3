import { answerProblems, groupProblems } from './answer-problems.ts';
import type { AnswerProblem, Gap, ShownItem } from './form.ts';
import { childPath, encodeLinkId, type ItemState } from './form-state.ts';
import { showSignature } from './signature.ts';

export interface ShowInput {
  readonly formProblems: readonly AnswerProblem[];
  readonly isRestorable: (path: string, state: ItemState) => boolean;
}

/** The visible items: enabled and not hidden. Questions nested under a question appear with each answer of it. */
export function showItems(states: readonly ItemState[], parentPath: string, input: ShowInput): ShownItem[] {
  return states.flatMap((state): ShownItem[] => {
    const { definition } = state;
    if (!isShown(state)) return [];
    const path = parentPath + encodeLinkId(definition.linkId);
    const { source: _source, hidden: _hidden, initial: _initial, enableWhen: _when, enableBehavior: _behavior, enableWhenExpression: _expression,
      calculatedExpression: _calculated, variables: _variables, items: _items, constraintRules: _rules, toggles: _toggles,
      elementExpressions: _elements, signatureType, ...ownLook } = definition;
    const signature = showSignature(signatureType, state.signature);
    const look = { ...ownLook, ...state.ruled, ...(signature ? { signature } : {}) };
    const problemsAt = (place: string) => input.formProblems.filter((problem) => problem.path === place);
    if (definition.type === 'group') {
      return state.instances.map((instance, index): ShownItem => {
        const instancePath = definition.repeats ? `${path}[${index}]` : path;
        return {
          ...look,
          path: instancePath,
          answers: [],
          problems: [...problemsAt(instancePath), ...(index === state.instances.length - 1 ? groupProblems(instancePath, state) : [])],
          items: showItems(instance.items, `${instancePath}/`, input),
          ...(definition.repeats ? { instance: { index, count: state.instances.length } } : {}),
        };
      });
    }
    const unfilled = look.required && look.readOnly && state.answers.length === 0 && definition.type !== 'display';
    return [{
      ...look,
      path,
      problems: [...answerProblems(path, state), ...problemsAt(path), ...(unfilled ? [unfilledProblem(path)] : [])],
      items: [],
      ...(input.isRestorable(path, state) ? { restorable: true } : {}),
      answers: state.answers.map(({ value, origin, author, items }, index) => ({
        index, value, origin, ...(author ? { author } : {}), items: showItems(items, childPath(path, definition, index), input),
      })),
    }];
  });
}

/** questionnaire-usageMode: `display-non-empty` is seen only when something is in it. */
function isShown({ enabled, definition, answers }: ItemState): boolean {
  if (!enabled || definition.hidden) return false;
  return definition.usageMode !== 'display-non-empty' || definition.type === 'group' || answers.length > 0;
}

function unfilledProblem(path: string): AnswerProblem {
  return { path, code: 'unfilled', message: 'The payer’s form wants to fill this in itself, and nothing was found.', blocking: false };
}

/** Groups before their children, questions before what hangs under their answers. */
export function flatten(items: readonly ShownItem[]): ShownItem[] {
  return items.flatMap((item) => [item, ...flatten(item.items), ...item.answers.flatMap((answer) => flatten(answer.items))]);
}

/** What has to be answered or signed before the form is complete. A question that nobody may edit is no gap. */
export function findGaps(items: readonly ShownItem[]): Gap[] {
  return items.flatMap((item): Gap[] => {
    const gap = { path: item.path, linkId: item.linkId, label: item.shortText ?? item.label };
    if (item.type === 'group') {
      const inner = findGaps(item.items);
      const hollow = item.required && inner.length === 0 && !flatten(item.items).some(({ answers, readOnly }) => answers.length > 0 || readOnly);
      return hollow ? [gap] : inner;
    }
    if (item.required && !item.readOnly && item.answers.length === 0 && item.type !== 'display') return [gap];
    const unsigned = item.signature?.required && !item.signature.signed && item.answers.length > 0;
    return [...(unsigned ? [{ ...gap, signature: true as const }] : []), ...item.answers.flatMap((answer) => findGaps(answer.items))];
  });
}
