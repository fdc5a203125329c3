import type { Coding, Extension, QuestionnaireItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';

/** The element of an answer that each type of question takes. */
const VALUE_KEYS: Readonly<Record<string, readonly (keyof QuestionnaireResponseItemAnswer)[]>> = {
  boolean: ['valueBoolean'], decimal: ['valueDecimal', 'valueInteger'], integer: ['valueInteger'], date: ['valueDate'], dateTime: ['valueDateTime'], time: ['valueTime'],
  string: ['valueString'], text: ['valueString'], url: ['valueUri'], attachment: ['valueAttachment'], reference: ['valueReference'], quantity: ['valueQuantity'],
  choice: ['valueCoding', 'valueString', 'valueInteger', 'valueDate', 'valueTime', 'valueReference'],
  'open-choice': ['valueCoding', 'valueString', 'valueInteger', 'valueDate', 'valueTime', 'valueReference'],
};
const EXTENSION = { min: 'http://hl7.org/fhir/StructureDefinition/minValue', max: 'http://hl7.org/fhir/StructureDefinition/maxValue', exclusive: 'http://hl7.org/fhir/StructureDefinition/questionnaire-optionExclusive' } as const;

/** The value of an answer; undefined when it has none of the kind that the question takes. */
export function answerValue(item: QuestionnaireItem, answer: QuestionnaireResponseItemAnswer): unknown {
  const key = VALUE_KEYS[item.type ?? '']?.find((one) => answer[one] !== undefined);
  return key === undefined ? undefined : answer[key];
}

/** What is wrong with the answers to one question, in plain words without the answers; undefined when nothing is. */
export function answerFault(item: QuestionnaireItem, answers: readonly QuestionnaireResponseItemAnswer[]): string | undefined {
  const values = answers.map((answer) => answerValue(item, answer));
  if (values.includes(undefined)) return `takes an answer of the type ${item.type}.`;
  if (values.length > 1 && item.repeats !== true) return 'takes one answer.';
  if (item.maxLength !== undefined && values.some((value) => typeof value === 'string' && value.length > (item.maxLength ?? 0))) return `takes ${item.maxLength} characters at most.`;
  const [min, max] = [bound(item, EXTENSION.min), bound(item, EXTENSION.max)];
  if (min !== undefined && values.some((value) => typeof value === typeof min && (value as number | string) < min)) return `takes ${min} or more.`;
  if (max !== undefined && values.some((value) => typeof value === typeof max && (value as number | string) > max)) return `takes ${max} or less.`;
  const options = item.answerOption ?? [];
  if (item.type === 'choice' && options.length > 0 && values.some((value) => !options.some((option) => sameOption(option, value)))) return 'takes one of its options.';
  const exclusive = options.filter((option) => option.extension?.some(({ url, valueBoolean }) => url === EXTENSION.exclusive && valueBoolean === true));
  if (values.length > 1 && values.some((value) => exclusive.some((option) => sameOption(option, value)))) return 'has an answer that excludes the others.';
  return undefined;
}

function sameOption(option: object, value: unknown): boolean {
  const offered = Object.entries(option).find(([key]) => key.startsWith('value'))?.[1] as unknown;
  if (typeof offered !== 'object' || offered === null) return offered === value;
  if (typeof value !== 'object' || value === null) return false;
  const [wanted, given]: [Coding, Coding] = [offered, value];
  return wanted.code === given.code && (wanted.system ?? '') === (given.system ?? '');
}

function bound(item: QuestionnaireItem, wanted: string): number | string | undefined {
  const found: Extension | undefined = item.extension?.find(({ url }) => url === wanted);
  return found?.valueInteger ?? found?.valueDecimal ?? found?.valueDate ?? found?.valueDateTime ?? found?.valueTime;
}

/** A value that the payer reckoned, as the answer of a question of this type. */
export function payerAnswer(item: QuestionnaireItem, value: unknown, origin: string): QuestionnaireResponseItemAnswer {
  const extension: Extension[] = [{ url: 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/information-origin', extension: [{ url: 'source', valueCode: origin }] }];
  const key = VALUE_KEYS[item.type ?? '']?.[0] ?? 'valueString';
  return { extension, [key]: value };
}
