import type { Expression, Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import { sameValue, toAnswerValue, valueOf } from './answer-value.ts';
import { enableWhenHolds } from './enable-when.ts';
import type { AnswerProblem, AnswerValue, EvaluateFhirPath } from './form.ts';
import { type ItemState, newAnswer, walkStates, writeItem, writeItems, type WriteOptions } from './form-state.ts';
import { applyRules, expressionProblem, type ExpressionResult, type ExpressionScope } from './form-rules.ts';
import { extensionsNamed, isFhirPath } from './read-extension.ts';
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
  const problems = reachFixedPoint(input);
  return input.evaluate ? [...problems, ...applyRules(input.states, input.questionnaire, expressionScope(input, input.evaluate))] : problems;
}

function reachFixedPoint(input: SettleInput): AnswerProblem[] {
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
    const result = scope.run(enableWhenExpression, state, 0);
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
    const result = scope.run(definition.calculatedExpression, state, 0);
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

/** The response as it stands is written out once, and only when an expression is run. */
function expressionScope(input: SettleInput, evaluate: EvaluateFhirPath): ExpressionScope {
  const once = <T>(make: () => T): (() => T) => {
    let made: { readonly value: T } | undefined;
    return () => (made ??= { value: make() }).value;
  };
  const resource = once(() => ({ ...input.root, item: writeItems(input.states, input.write) }));
  const parents = once(() => parentsOf(input.states));
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
      const result = attempt(expression, context, variables);
      if (result.kind === 'values') variables[name] = result.values.length === 1 ? result.values[0] : result.values;
    }
    return variables;
  };
  const rootVariables = once(() => {
    const expressions = extensionsNamed(input.questionnaire, 'variable').flatMap(({ valueExpression }) => valueExpression ?? []);
    return withVariables(expressions, resource(), { ...input.variables, resource: resource(), questionnaire: input.questionnaire });
  });
  const contextOf = (state: ItemState, instance: number): unknown => writeItem(state, input.write)[instance] ?? { linkId: state.definition.linkId };
  /** Variables of an item are seen by everything below it (SDC). */
  const variablesAround = (state: ItemState): Record<string, unknown> => {
    const parent = parents().get(state);
    if (!parent) return rootVariables();
    const around = variablesAround(parent.state);
    return parent.state.definition.variables.length === 0 ? around : withVariables(parent.state.definition.variables, contextOf(parent.state, parent.instance), around);
  };
  return {
    run(expression, state, instance) {
      const context = contextOf(state, instance);
      const variables = withVariables(state.definition.variables, context, { ...variablesAround(state), qitem: state.definition.source });
      return attempt(expression.expression ?? '', context, variables);
    },
    runAtRoot: (expression) => attempt(expression.expression ?? '', resource(), rootVariables()),
    isWritten: (state) => writeItem(state, input.write).length > 0 && (state.definition.type === 'group' || state.answers.length > 0),
  };
}

interface ParentPlace { readonly state: ItemState; readonly instance: number }

function parentsOf(states: readonly ItemState[], parent?: ParentPlace, into = new Map<ItemState, ParentPlace>()): Map<ItemState, ParentPlace> {
  for (const state of states) {
    if (parent) into.set(state, parent);
    for (const [instance, inside] of state.instances.entries()) parentsOf(inside.items, { state, instance }, into);
    for (const answer of state.answers) parentsOf(answer.items, { state, instance: 0 }, into);
  }
  return into;
}
