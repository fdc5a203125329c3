import { fitsType, sameValue, valueOf } from './answer-value.ts';
import type { AnswerProblem, AnswerProblemCode, AnswerValue } from './form.ts';
import type { ItemState } from './form-state.ts';
import type { ItemDefinition } from './item-definition.ts';

/** What is wrong with the answers of one enabled question. Missing required answers are gaps, not problems. */
export function answerProblems(path: string, state: ItemState): AnswerProblem[] {
  const { definition, answers } = state;
  const problems = answers.flatMap(({ value }, index) =>
    problemsOf(definition, value).map(([code, message]): AnswerProblem => ({ path, index, code, message, blocking: true })));
  const { minOccurs, maxOccurs } = definition.constraints;
  if (answers.length > 0 && minOccurs !== undefined && answers.length < minOccurs) problems.push(occurs(path, `Give at least ${minOccurs} answers.`));
  if (maxOccurs !== undefined && answers.length > maxOccurs) problems.push(occurs(path, `Give at most ${maxOccurs} answers.`));
  return problems;
}

function occurs(path: string, message: string): AnswerProblem {
  return { path, code: 'occurs', message, blocking: true };
}

type Found = readonly [AnswerProblemCode, string];

const TYPE_WORDS: Partial<Record<ItemDefinition['type'], string>> = {
  boolean: 'yes or no', decimal: 'a number', integer: 'a whole number', date: 'a date', dateTime: 'a date and time', time: 'a time of day',
  quantity: 'a number with a unit', url: 'a web address',
};

function problemsOf(definition: ItemDefinition, value: AnswerValue): Found[] {
  if (!fitsType(definition.type, value)) return [['type', `Give ${TYPE_WORDS[definition.type] ?? 'an answer of the kind that is asked for'}.`]];
  const found: Found[] = [];
  const plain = valueOf(value);
  const { constraints } = definition;
  const measured = value.valueQuantity?.value ?? plain;
  if (isBelow(measured, constraints.min)) found.push(['range', `Not below ${constraints.min}.`]);
  if (isBelow(constraints.max, measured)) found.push(['range', `Not above ${constraints.max}.`]);
  if (typeof plain === 'string') {
    if (constraints.maxLength !== undefined && plain.length > constraints.maxLength) found.push(['length', `At most ${constraints.maxLength} characters.`]);
    if (constraints.minLength !== undefined && plain.length < constraints.minLength) found.push(['length', `At least ${constraints.minLength} characters.`]);
    if (constraints.regex !== undefined && !matches(constraints.regex, plain)) found.push(['pattern', 'Not in the form the payer asks for.']);
  }
  if (constraints.maxDecimalPlaces !== undefined && typeof measured === 'number' && decimalPlaces(measured) > constraints.maxDecimalPlaces) {
    found.push(['decimal-places', `At most ${constraints.maxDecimalPlaces} digits after the point.`]);
  }
  if (definition.options.length > 0 && !definition.openOptions && !definition.options.some((option) => isOption(option.value, value))) {
    found.push(['not-an-option', 'Choose one of the options.']);
  }
  if (value.valueQuantity) {
    if (value.valueQuantity.value === undefined) found.push(['type', 'Give a number.']);
    const code = value.valueQuantity.code ?? value.valueQuantity.unit;
    if (definition.units.length > 0 && !definition.units.some((unit) => unit.code === code)) found.push(['unit', 'Choose one of the units.']);
  }
  const target = value.valueReference?.reference?.split('/')[0];
  if (target && definition.referenceTypes.length > 0 && !definition.referenceTypes.includes(target)) {
    found.push(['reference-type', `Refer to one of: ${definition.referenceTypes.join(', ')}.`]);
  }
  return found;
}

function isOption(option: AnswerValue, value: AnswerValue): boolean {
  if (option.valueCoding && value.valueCoding) {
    return option.valueCoding.code === value.valueCoding.code && (option.valueCoding.system ?? value.valueCoding.system) === (value.valueCoding.system ?? option.valueCoding.system);
  }
  return sameValue(option, value);
}

function isBelow(value: unknown, limit: unknown): boolean {
  if (typeof value === 'number' && typeof limit === 'number') return value < limit;
  return typeof value === 'string' && typeof limit === 'string' && value < limit;
}

/** A payer's pattern that is no regular expression, or a very long text, is not held against the answer. */
function matches(pattern: string, text: string): boolean {
  if (text.length > 10_000) return true;
  try {
    return new RegExp(`^(?:${pattern})$`, 'u').test(text);
  } catch {
    return true;
  }
}

function decimalPlaces(value: number): number {
  const [mantissa = '', exponent] = String(value).split('e');
  return Math.max(0, (mantissa.split('.')[1]?.length ?? 0) - Number(exponent ?? 0));
}
