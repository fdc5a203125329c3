import type { Expression, Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import { sameValue, toAnswerValue, valueOf } from './answer-value.ts';
import { enableWhenHolds } from './enable-when.ts';
import type { AnswerProblem, AnswerValue, EvaluateFhirPath } from './form.ts';
import { type ItemState, newAnswer, walkStates, writeItem, writeItems, type WriteOptions } from './form-state.ts';
import { extensionsNamed, isFhirPath } from './item-definition.ts';
import { orderVariables } from './order-variables.ts';

export interface SettleInput {
  readonly questionnaire: Questionnaire;
  readonly states: readonly ItemState[];
  readonly root: Omit<QuestionnaireResponse, 'item'>;
  readonly write: WriteOptions;
  readonly evaluate: EvaluateFhirPath | undefined;
  readonly variables: Readonly<Record<string, unknown>>;
}

const MOST_ROUNDS = 25;

/**
 * Brings enablement and calculated values to a fixed point. A form whose values keep changing is reported as oscillating and left as
 * it stands after the last round (DTR: such a questionnaire is in error, and population of it ends).
 */
export function settle(input: SettleInput): AnswerProblem[] {
  for (let round = 0; round < MOST_ROUNDS; round++) {
    const problems: AnswerProblem[] = [];
    const enablementChanged = settleEnablement(input, problems);
    const valuesChanged = input.evaluate ? calculate(input, input.evaluate, problems) : false;
    if (!enablementChanged && !valuesChanged) return problems;
  }
  return [{ path: '', code: 'oscillation', message: 'The payer’s form contradicts itself: its calculated values do not come to rest. Check them before sending.', blocking: false }];
}

function settleEnablement(input: SettleInput, problems: AnswerProblem[]): boolean {
  const scope = input.evaluate ? expressionScope(input, input.evaluate) : undefined;
  const changes: (() => void)[] = [];
  const paths = new Map([...walkStates(input.states)].map(({ path, state }) => [state, path]));
  visit(input.states, [], true, (state, scopes, parentEnabled) => {
    const enabled = parentEnabled && isEnabled(state, scopes, scope, () => problems.push(expressionProblem(paths.get(state) ?? '')));
    if (enabled !== state.enabled) changes.push(() => { state.enabled = enabled; });
    return enabled;
  });
  for (const apply of changes) apply();
  return changes.length > 0;
}

type Visitor = (state: ItemState, scopes: readonly (readonly ItemState[])[], parentEnabled: boolean) => boolean;

function visit(states: readonly ItemState[], outer: readonly (readonly ItemState[])[], parentEnabled: boolean, visitor: Visitor): void {
  const scopes = [states, ...outer];
  for (const state of states) {
    const enabled = visitor(state, scopes, parentEnabled);
    for (const part of [...state.instances, ...state.answers]) visit(part.items, scopes, enabled, visitor);
  }
}

function isEnabled(state: ItemState, scopes: readonly (readonly ItemState[])[], scope: ExpressionScope | undefined, report: () => void): boolean {
  const { enableWhen, enableBehavior, enableWhenExpression } = state.definition;
  if (enableWhenExpression) {
    if (!scope) return true;
    if (!isFhirPath(enableWhenExpression)) {
      report();
      return true;
    }
    const result = scope.run(enableWhenExpression, state);
    // A condition that cannot be run must not hide a question.
    if (result.kind === 'failed') report();
    return result.kind === 'failed' || result.values[0] === true;
  }
  if (enableWhen.length === 0) return true;
  const holds = enableWhen.map((when) => enableWhenHolds(when, nearestAnswers(when.question ?? '', scopes)));
  return enableBehavior === 'any' ? holds.includes(true) : !holds.includes(false);
}

/** The answers of the closest item with that linkId: same group instance first, then outwards (R4 enableWhen.question). */
function nearestAnswers(linkId: string, scopes: readonly (readonly ItemState[])[]): unknown[] {
  for (const states of scopes) {
    const found = [...walkStates(states)].filter(({ state, instance }) => state.definition.linkId === linkId && !instance);
    if (found.length > 0) return found.flatMap(({ state }) => (state.enabled ? state.answers.map(({ value }) => valueOf(value)) : []));
  }
  return [];
}

function calculate(input: SettleInput, evaluate: EvaluateFhirPath, problems: AnswerProblem[]): boolean {
  const scope = expressionScope(input, evaluate);
  let changed = false;
  for (const { path, state } of walkStates(input.states)) {
    const { definition } = state;
    if (!state.enabled || !definition.calculatedExpression || !isFhirPath(definition.calculatedExpression)) continue;
    if (state.cleared || state.answers.some(({ origin }) => origin !== 'auto')) continue;
    const result = scope.run(definition.calculatedExpression, state);
    if (result.kind === 'failed') {
      problems.push(expressionProblem(path));
      continue;
    }
    const values = result.values.flatMap((value): AnswerValue[] => {
      const answer = toAnswerValue(definition, value);
      return answer ? [answer] : [];
    });
    const wanted = definition.repeats ? values : values.slice(0, 1);
    if (wanted.length === state.answers.length && wanted.every((value, index) => sameValue(value, state.answers[index]?.value ?? {}))) continue;
    state.answers = wanted.map((value) => newAnswer(definition, value, 'auto'));
    changed = true;
  }
  return changed;
}

function expressionProblem(path: string): AnswerProblem {
  return { path, code: 'expression', message: 'A rule of the payer’s form could not be run here. Check this question by hand.', blocking: false };
}

type ExpressionResult = { readonly kind: 'values'; readonly values: readonly unknown[] } | { readonly kind: 'failed' };
interface ExpressionScope { run(expression: Expression, state: ItemState): ExpressionResult }

function expressionScope(input: SettleInput, evaluate: EvaluateFhirPath): ExpressionScope {
  const resource = { ...input.root, item: writeItems(input.states, input.write) };
  const base = { ...input.variables, resource, questionnaire: input.questionnaire };
  const attempt = (expression: string, context: unknown, variables: Readonly<Record<string, unknown>>): ExpressionResult => {
    try {
      return { kind: 'values', values: evaluate(expression, context, variables) };
    } catch {
      // The evaluator's message may quote answers; the caller reports the failure in words of its own.
      return { kind: 'failed' };
    }
  };
  const withVariables = (expressions: readonly Expression[], context: unknown, known: Readonly<Record<string, unknown>>): Record<string, unknown> => {
    const variables: Record<string, unknown> = { ...known };
    for (const { name = '', expression = '' } of orderVariables(expressions.filter((one) => isFhirPath(one) && one.name))) {
      const result = attempt(expression, context, { ...variables, context });
      if (result.kind === 'values') variables[name] = result.values.length === 1 ? result.values[0] : result.values;
    }
    return variables;
  };
  const rootExpressions = extensionsNamed(input.questionnaire, 'variable').flatMap(({ valueExpression }) => (valueExpression ? [valueExpression] : []));
  const rootVariables = withVariables(rootExpressions, resource, base);
  return {
    run(expression, state) {
      const context = writeItem(state, input.write)[0] ?? { linkId: state.definition.linkId };
      const variables = withVariables(state.definition.variables, context, { ...rootVariables, qitem: state.definition.source });
      return attempt(expression.expression ?? '', context, { ...variables, context });
    },
  };
}
