import type { Coding, Quantity, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import type { AnswerOption, AnswerValue, ItemType, UnitOption } from './form.ts';

export const VALUE_KEYS = [
  'valueBoolean', 'valueDecimal', 'valueInteger', 'valueDate', 'valueDateTime', 'valueTime', 'valueString',
  'valueUri', 'valueAttachment', 'valueCoding', 'valueQuantity', 'valueReference',
] as const satisfies readonly (keyof AnswerValue)[];

export const ITEM_TYPES = [
  'group', 'display', 'question', 'boolean', 'decimal', 'integer', 'date', 'dateTime', 'time', 'string', 'text', 'url', 'choice', 'open-choice', 'attachment', 'reference', 'quantity',
] as const satisfies readonly ItemType[];

/** Which value[x] an item type takes; the first is the usual one. */
const VALUE_KEYS_OF_TYPE: Readonly<Record<ItemType, readonly (keyof AnswerValue)[]>> = {
  group: [], display: [], question: VALUE_KEYS,
  boolean: ['valueBoolean'], decimal: ['valueDecimal'], integer: ['valueInteger'],
  date: ['valueDate'], dateTime: ['valueDateTime'], time: ['valueTime'],
  string: ['valueString'], text: ['valueString'], url: ['valueUri'],
  choice: ['valueCoding', 'valueString', 'valueInteger', 'valueDate', 'valueTime', 'valueReference'],
  'open-choice': ['valueCoding', 'valueString', 'valueInteger', 'valueDate', 'valueTime', 'valueReference'],
  attachment: ['valueAttachment'], reference: ['valueReference'], quantity: ['valueQuantity'],
};

export function valueKeyOf(value: AnswerValue): keyof AnswerValue | undefined {
  return VALUE_KEYS.find((key) => value[key] !== undefined);
}

/** The value itself, whatever its type. */
export function valueOf(value: AnswerValue): unknown {
  const key = valueKeyOf(value);
  return key === undefined ? undefined : value[key];
}

export function fitsType(type: ItemType, value: AnswerValue): boolean {
  const key = valueKeyOf(value);
  if (key === undefined || !VALUE_KEYS_OF_TYPE[type].includes(key)) return false;
  switch (key) {
    case 'valueInteger': return Number.isInteger(value.valueInteger);
    case 'valueDecimal': return Number.isFinite(value.valueDecimal);
    case 'valueDate': return isDate(value.valueDate ?? '');
    case 'valueDateTime': return isDateTime(value.valueDateTime ?? '');
    case 'valueTime': return /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?$/.test(value.valueTime ?? '');
    default: return true;
  }
}

/** A FHIR date of any precision that exists in the calendar. */
export function isDate(text: string): boolean {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2}))?)?$/.exec(text);
  if (!match) return false;
  const [, year, month, day] = match;
  if (month === undefined) return true;
  if (Number(month) < 1 || Number(month) > 12) return false;
  if (day === undefined) return true;
  return Number(day) >= 1 && Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

export function isDateTime(text: string): boolean {
  const [date = '', time] = text.split('T');
  return isDate(date) && (time === undefined || /^([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]\d{2}:\d{2})$/.test(time));
}

export function pickValue(answer: QuestionnaireResponseItemAnswer): AnswerValue {
  const key = valueKeyOf(answer);
  return key === undefined ? {} : { [key]: answer[key] };
}

export function sameValue(a: AnswerValue, b: AnswerValue): boolean {
  return valueKeyOf(a) === valueKeyOf(b) && stable(valueOf(a)) === stable(valueOf(b));
}

/** The same concept: by code, and by system when both say one. */
export function isSameCode(one: Coding, other: Coding): boolean {
  return one.code !== undefined && one.code === other.code && (one.system ?? other.system) === (other.system ?? one.system);
}

function stable(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    inner !== null && typeof inner === 'object' && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([x], [y]) => (x < y ? -1 : 1)))
      : inner) ?? 'undefined';
}

export interface ValueTarget {
  readonly type: ItemType;
  readonly options: readonly AnswerOption[];
  readonly openOptions: boolean;
  readonly units: readonly UnitOption[];
}

/**
 * What an expression gave, as an answer of the item; undefined when it does not fit.
 * Accepts plain JSON: FHIR elements, strings, numbers. A dateTime given to a date item is cut to its own calendar day, never shifted by a zone.
 */
export function toAnswerValue(target: ValueTarget, result: unknown): AnswerValue | undefined {
  if (result === null || result === undefined) return undefined;
  switch (target.type) {
    case 'boolean': return typeof result === 'boolean' ? { valueBoolean: result } : undefined;
    case 'integer': return Number.isInteger(numberOf(result)) ? { valueInteger: numberOf(result) } : undefined;
    case 'decimal': return Number.isFinite(numberOf(result)) ? { valueDecimal: numberOf(result) } : undefined;
    case 'string':
    case 'question':
    case 'text': return textOf(result) ? { valueString: textOf(result) } : undefined;
    case 'url': return typeof result === 'string' && result ? { valueUri: result } : undefined;
    case 'date': return fitted('date', typeof result === 'string' ? { valueDate: result.split('T')[0] ?? '' } : undefined);
    case 'dateTime': return fitted('dateTime', typeof result === 'string' ? { valueDateTime: result } : undefined);
    case 'time': return fitted('time', typeof result === 'string' ? { valueTime: result.replace(/^T/, '') } : undefined);
    case 'quantity': return quantityAnswer(target, result);
    case 'choice':
    case 'open-choice': return choiceAnswer(target, result);
    case 'reference': return referenceAnswer(result);
    case 'attachment': return attachmentAnswer(result);
    default: return undefined;
  }
}

function fitted(type: ItemType, value: AnswerValue | undefined): AnswerValue | undefined {
  return value && fitsType(type, value) ? value : undefined;
}

function quantityAnswer(target: ValueTarget, result: unknown): AnswerValue | undefined {
  const unit = target.units[0];
  if (typeof result === 'number') {
    return { valueQuantity: { value: result, ...(unit ? { unit: unit.label, code: unit.code, ...(unit.system ? { system: unit.system } : {}) } : {}) } };
  }
  if (!isRecord(result) || typeof result['value'] !== 'number') return undefined;
  const given: Quantity = { value: result['value'], ...pickText(result, 'unit'), ...pickText(result, 'system'), ...pickText(result, 'code') };
  if (target.units.length === 0) return { valueQuantity: given };
  const code = given.code ?? given.unit;
  const match = target.units.find((option) => option.code === code || option.label === code);
  return match ? { valueQuantity: { value: result['value'], unit: match.label, code: match.code, ...(match.system ? { system: match.system } : {}) } } : undefined;
}

function choiceAnswer(target: ValueTarget, result: unknown): AnswerValue | undefined {
  for (const candidate of codingsOf(result)) {
    const match = target.options.find(({ value }) => {
      const coding = value.valueCoding;
      if (!coding) return valueOf(value) === candidate.code;
      return coding.code === candidate.code && (candidate.system === undefined || coding.system === undefined || coding.system === candidate.system);
    });
    if (match) return match.value;
  }
  const first = codingsOf(result)[0];
  if (target.options.length > 0 && !target.openOptions) return undefined;
  if (target.openOptions && typeof result === 'string') return { valueString: result };
  return first ? { valueCoding: first } : undefined;
}

function codingsOf(result: unknown): Coding[] {
  if (typeof result === 'string' || typeof result === 'number') return [{ code: String(result) }];
  if (!isRecord(result)) return [];
  const inner = result['coding'] ?? result['codes'];
  if (Array.isArray(inner)) return inner.flatMap(codingsOf);
  return typeof result['code'] === 'string' ? [{ ...pickText(result, 'system'), code: result['code'], ...pickText(result, 'display') }] : [];
}

function referenceAnswer(result: unknown): AnswerValue | undefined {
  if (typeof result === 'string') return { valueReference: { reference: result } };
  if (!isRecord(result)) return undefined;
  if (typeof result['reference'] === 'string') return { valueReference: { reference: result['reference'], ...pickText(result, 'display') } };
  const { resourceType, id } = result;
  return typeof resourceType === 'string' && typeof id === 'string' ? { valueReference: { reference: `${resourceType}/${id}` } } : undefined;
}

/** SDC: a Binary or a document of the record answers for its content. */
function attachmentAnswer(result: unknown): AnswerValue | undefined {
  if (!isRecord(result)) return undefined;
  if (result['resourceType'] === 'Binary') return { valueAttachment: { ...pickText(result, 'contentType'), ...pickText(result, 'data') } };
  if (result['resourceType'] === 'DocumentReference') {
    const [first]: unknown[] = Array.isArray(result['content']) ? result['content'] : [];
    return isRecord(first) ? attachmentAnswer(first['attachment']) : undefined;
  }
  return 'url' in result || 'data' in result ? { valueAttachment: result } : undefined;
}

function numberOf(result: unknown): number {
  if (typeof result === 'number') return result;
  if (isRecord(result) && typeof result['value'] === 'number') return result['value'];
  return Number.NaN;
}

function textOf(result: unknown): string {
  if (typeof result === 'string') return result.trim();
  if (typeof result === 'number' || typeof result === 'boolean') return String(result);
  if (!isRecord(result)) return '';
  const text = result['text'] ?? result['display'] ?? codingsOf(result)[0]?.display ?? result['value'];
  return typeof text === 'string' ? text.trim() : typeof text === 'number' ? String(text) : '';
}

function pickText<K extends string>(from: Record<string, unknown>, key: K): { [P in K]?: string } {
  const value = from[key];
  return (typeof value === 'string' ? { [key]: value } : {}) as { [P in K]?: string };
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value);
}
