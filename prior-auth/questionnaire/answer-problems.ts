import type { Attachment } from '@medplum/fhirtypes';
import { fitsType, isSameCode, sameValue, valueOf } from './answer-value.ts';
import type { AnswerOption, AnswerProblem, AnswerProblemCode, AnswerValue, UnitOption } from './form.ts';
import type { ItemState } from './form-state.ts';
import type { ItemDefinition } from './item-definition.ts';

/** What is wrong with the answers of one enabled question. Missing required answers are gaps, not problems. */
export function answerProblems(path: string, state: ItemState): AnswerProblem[] {
  const { definition, answers } = state;
  const options = state.ruled.options ?? definition.options;
  // What nobody may edit, nobody can correct.
  const blocking = !(state.ruled.readOnly ?? definition.readOnly);
  const problems = answers.flatMap(({ value }, index) =>
    problemsOf(definition, options, value).map(([code, message]): AnswerProblem => ({ path, index, code, message, blocking })));
  const { minOccurs, maxOccurs } = definition.constraints;
  if (answers.length > 0 && minOccurs !== undefined && answers.length < minOccurs) problems.push(occurs(path, `Give at least ${minOccurs} answers.`));
  if (maxOccurs !== undefined && answers.length > maxOccurs) problems.push(occurs(path, `Give at most ${maxOccurs} answers.`));
  return problems;
}

/** Too few or too many instances of a repeating group, said at its last one. */
export function groupProblems(path: string, { definition, instances }: ItemState): AnswerProblem[] {
  const { minOccurs, maxOccurs } = definition.constraints;
  if (!definition.repeats) return [];
  if (minOccurs !== undefined && instances.length < minOccurs) return [occurs(path, `Give at least ${minOccurs} entries.`)];
  return maxOccurs !== undefined && instances.length > maxOccurs ? [occurs(path, `Give at most ${maxOccurs} entries.`)] : [];
}

function occurs(path: string, message: string): AnswerProblem {
  return { path, code: 'occurs', message, blocking: true };
}

type Found = readonly [AnswerProblemCode, string];

const TYPE_WORDS: Partial<Record<ItemDefinition['type'], string>> = {
  boolean: 'yes or no', decimal: 'a number', integer: 'a whole number', date: 'a date', dateTime: 'a date and time', time: 'a time of day',
  quantity: 'a number with a unit', url: 'a web address',
};

function problemsOf(definition: ItemDefinition, options: readonly AnswerOption[], value: AnswerValue): Found[] {
  if (!fitsType(definition.type, value)) return [['type', `Give ${TYPE_WORDS[definition.type] ?? 'an answer of the kind that is asked for'}.`]];
  const found: Found[] = [];
  const plain = valueOf(value);
  const { constraints } = definition;
  const measured = value.valueQuantity?.value ?? plain;
  const unit = value.valueQuantity && (value.valueQuantity.code ?? value.valueQuantity.unit);
  if (constraints.rangeUnit === undefined || unit === undefined || unit === constraints.rangeUnit) {
    if (isBelow(measured, constraints.min)) found.push(['range', `Not below ${constraints.min}.`]);
    if (isBelow(constraints.max, measured)) found.push(['range', `Not above ${constraints.max}.`]);
  }
  if (typeof plain === 'string') {
    if (constraints.maxLength !== undefined && plain.length > constraints.maxLength) found.push(['length', `At most ${constraints.maxLength} characters.`]);
    if (constraints.minLength !== undefined && plain.length < constraints.minLength) found.push(['length', `At least ${constraints.minLength} characters.`]);
    if (constraints.regex !== undefined && !matches(constraints.regex, plain)) found.push(['pattern', 'Not in the form the payer asks for.']);
  }
  if (constraints.maxDecimalPlaces !== undefined && typeof measured === 'number' && decimalPlaces(measured) > constraints.maxDecimalPlaces) {
    found.push(['decimal-places', `At most ${constraints.maxDecimalPlaces} digits after the point.`]);
  }
  if (definition.options.length > 0 && !definition.openOptions && !options.some((option) => isOption(option.value, value))) {
    found.push(['not-an-option', 'Choose one of the options.']);
  }
  if (value.valueQuantity) {
    if (value.valueQuantity.value === undefined) found.push(['type', 'Give a number.']);
    const { system } = value.valueQuantity;
    const isUnit = (option: UnitOption) => option.code === unit && (system === undefined || option.system === undefined || option.system === system);
    if (definition.units.length > 0 && !definition.units.some(isUnit)) found.push(['unit', 'Choose one of the units.']);
  }
  if (value.valueAttachment) found.push(...fileProblems(definition, value.valueAttachment));
  const target = value.valueReference?.reference?.split('/')[0];
  if (target && definition.referenceTypes.length > 0 && !definition.referenceTypes.includes(target)) {
    found.push(['reference-type', `Refer to one of: ${definition.referenceTypes.join(', ')}.`]);
  }
  return found;
}

function fileProblems({ constraints }: ItemDefinition, { contentType, size, data }: Attachment): Found[] {
  const { mimeTypes, maxSizeMb } = constraints;
  const bytes = size ?? (data === undefined ? undefined : Math.floor((data.length * 3) / 4));
  return [
    ...(mimeTypes && contentType !== undefined && !mimeTypes.some((type) => isMimeType(type, contentType)) ? [['file-type', `Attach a file of one of these types: ${mimeTypes.join(', ')}.`] as const] : []),
    ...(maxSizeMb !== undefined && bytes !== undefined && bytes > maxSizeMb * 1024 * 1024 ? [['file-size', `Attach a file of at most ${maxSizeMb} MB.`] as const] : []),
  ];
}

function isMimeType(wanted: string, given: string): boolean {
  const [type = '', subtype = ''] = (given.split(';')[0] ?? '').trim().toLowerCase().split('/');
  const [wantedType = '', wantedSubtype = ''] = wanted.trim().toLowerCase().split('/');
  return type === wantedType && (wantedSubtype === '*' || subtype === wantedSubtype);
}

function isOption(option: AnswerValue, value: AnswerValue): boolean {
  if (option.valueCoding && value.valueCoding) {
    return isSameCode(option.valueCoding, value.valueCoding);
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
