import type { Expression } from '@medplum/fhirtypes';
import { isSameCode, sameValue } from './answer-value.ts';
import type { AnswerOption, AnswerProblem, AnswerValue } from './form.ts';
import { type ItemState, type RuledLook, walkStates } from './form-state.ts';
import { type ConstraintRule, readConstraintRules } from './item-definition.ts';

export type ExpressionResult = { readonly kind: 'values'; readonly values: readonly unknown[] } | { readonly kind: 'failed' };

export interface ExpressionScope {
  /** `instance`: of a repeating group, which one. */
  run(expression: Expression, state: ItemState, instance: number): ExpressionResult;
  /** With the whole response as context. */
  runAtRoot(expression: Expression): ExpressionResult;
  /** The item is in the response as it stands. */
  isWritten(state: ItemState): boolean;
}

/**
 * What the form's expressions say once its values have come to rest: texts, required, read-only, options offered, and constraints.
 * A rule that cannot be run is told and changes nothing.
 */
export function applyRules(states: readonly ItemState[], root: Parameters<typeof readConstraintRules>[0], scope: ExpressionScope): AnswerProblem[] {
  const problems: AnswerProblem[] = [];
  const check = (path: string, rule: ConstraintRule, result: ExpressionResult): void => {
    if (result.kind === 'failed') problems.push(expressionProblem(path));
    else if (result.values[0] === false) problems.push({ path, code: 'constraint', message: rule.human || 'The answers do not fit together as the payer asks.', blocking: rule.blocking });
  };
  for (const { path, state, instance = 0 } of walkStates(states)) {
    const { definition } = state;
    const run = (expression: Expression): ExpressionResult => {
      const result = scope.run(expression, state, instance);
      if (result.kind === 'failed') problems.push(expressionProblem(path));
      return result;
    };
    const valueOf = (expression: Expression | undefined): unknown => {
      const result = expression && run(expression);
      return result?.kind === 'values' ? result.values[0] : undefined;
    };
    const { label, required, readOnly } = definition.elementExpressions;
    state.ruled = !state.enabled ? {} : {
      ...asText(valueOf(label)),
      ...asBoolean('required', valueOf(required)),
      ...asBoolean('readOnly', valueOf(readOnly)),
      ...(definition.toggles.length > 0 ? { options: offered(state, run) } : {}),
    };
    if (!state.enabled) continue;
    for (const rule of definition.constraintRules) if (scope.isWritten(state)) check(path, rule, scope.run(rule.expression, state, instance));
  }
  for (const rule of readConstraintRules(root)) check('', rule, scope.runAtRoot(rule.expression));
  return problems;
}

/** answerOptionsToggleExpression: a listed option is offered while one of its expressions holds, or cannot be run. */
function offered(state: ItemState, run: (expression: Expression) => ExpressionResult): readonly AnswerOption[] {
  const { options, toggles } = state.definition;
  const held = toggles.map((toggle) => {
    const result = run(toggle.expression);
    return { ...toggle, holds: result.kind === 'failed' || result.values[0] === true };
  });
  return options.filter(({ value }) => {
    const naming = held.filter((toggle) => toggle.options.some((option) => isOption(option, value)));
    return naming.length === 0 || naming.some(({ holds }) => holds);
  });
}

function isOption(one: AnswerValue, other: AnswerValue): boolean {
  return one.valueCoding && other.valueCoding ? isSameCode(one.valueCoding, other.valueCoding) : sameValue(one, other);
}

function asText(value: unknown): Pick<RuledLook, 'label'> {
  return typeof value === 'string' && value !== '' ? { label: value } : {};
}

function asBoolean<K extends 'required' | 'readOnly'>(key: K, value: unknown): { readonly [P in K]?: boolean } {
  return (typeof value === 'boolean' ? { [key]: value } : {}) as { readonly [P in K]?: boolean };
}

export function expressionProblem(path: string): AnswerProblem {
  return { path, code: 'expression', message: 'A rule of the payer’s form could not be run here. Check this question by hand.', blocking: false };
}
