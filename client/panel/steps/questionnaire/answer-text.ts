import type { AnswerOption, AnswerValue, ItemType } from '#prior-auth/questionnaire/form.ts';
import { showDate } from '../../../ui/fhir-date.ts';
import { messages } from '../../messages.ts';

/** An answer in words, for reading. */
export function answerText(value: AnswerValue): string {
  if (value.valueBoolean !== undefined) return value.valueBoolean ? messages.form.yes : messages.form.no;
  if (value.valueCoding) return value.valueCoding.display ?? value.valueCoding.code ?? '';
  if (value.valueQuantity) return [value.valueQuantity.comparator, value.valueQuantity.value, value.valueQuantity.unit ?? value.valueQuantity.code].filter((part) => part !== undefined).join(' ');
  if (value.valueReference) return value.valueReference.display ?? value.valueReference.reference ?? value.valueReference.identifier?.value ?? '';
  if (value.valueAttachment) return value.valueAttachment.title ?? value.valueAttachment.url ?? messages.form.unnamedFile;
  if (value.valueDate !== undefined) return showDate(value.valueDate);
  if (value.valueDateTime !== undefined) return showDate(value.valueDateTime);
  return editText(value);
}

/** An answer as the text in its input. */
export function editText(value: AnswerValue | undefined): string {
  if (value === undefined) return '';
  if (value.valueDateTime !== undefined) return localDateTime(value.valueDateTime);
  if (value.valueReference) return value.valueReference.reference ?? '';
  // What a question of an unknown kind holds.
  if (value.valueBoolean !== undefined || value.valueCoding || value.valueQuantity || value.valueAttachment) return answerText(value);
  const plain = value.valueString ?? value.valueUri ?? value.valueDate ?? value.valueTime ?? value.valueDecimal ?? value.valueInteger;
  return plain === undefined ? '' : String(plain);
}

/** What to keep of what was typed: what cannot be read is kept as words, so that nothing stands on the screen that is not saved; the form cannot be completed with it. */
export function keptAnswer(read: ReadAnswer, typed: string): AnswerValue | undefined {
  return read.kind === 'answer' ? read.value : read.kind === 'problem' ? { valueString: typed } : undefined;
}

export type ReadAnswer =
  | { readonly kind: 'empty' }
  | { readonly kind: 'answer'; readonly value: AnswerValue }
  | { readonly kind: 'problem'; readonly message: string };

/** Reads what was typed. Empty text is no answer. */
export function readAnswer(type: ItemType, typed: string): ReadAnswer {
  const text = type === 'text' || type === 'string' ? typed : typed.trim();
  if (text.trim() === '') return { kind: 'empty' };
  const words = messages.form;
  switch (type) {
    case 'integer':
      return /^[+-]?\d{1,10}$/.test(text) ? answer({ valueInteger: Number(text) }) : problem(words.notInteger);
    case 'decimal':
      return readNumber(text) === undefined ? problem(words.notNumber) : answer({ valueDecimal: Number(text) });
    case 'date':
      return isDate(text) ? answer({ valueDate: text }) : problem(words.notDate);
    case 'dateTime':
      return readDateTime(text);
    case 'time':
      return answer({ valueTime: /^\d\d:\d\d$/.test(text) ? `${text}:00` : text });
    case 'url':
      return answer({ valueUri: text });
    case 'reference':
      return /^[A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64}$/.test(text) ? answer({ valueReference: { reference: text } }) : problem(words.notReference);
    default:
      return answer({ valueString: text });
  }
}

export function readNumber(text: string): number | undefined {
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text.trim()) ? Number(text) : undefined;
}

/** The option that says the same: codings by system and code, all else by value. */
export function isSameAnswer(one: AnswerValue, other: AnswerValue): boolean {
  if (one.valueCoding && other.valueCoding) return one.valueCoding.code === other.valueCoding.code && (one.valueCoding.system ?? '') === (other.valueCoding.system ?? '') && (one.valueCoding.code !== undefined || one.valueCoding.display === other.valueCoding.display);
  if (one.valueReference && other.valueReference) return one.valueReference.reference === other.valueReference.reference;
  return JSON.stringify(one) === JSON.stringify(other);
}

export function optionOf(options: readonly AnswerOption[], value: AnswerValue): AnswerOption | undefined {
  return options.find((option) => isSameAnswer(option.value, value));
}

/** YYYY-MM-DD in the reader's place. */
export function localDay(date: Date): string {
  return `${String(date.getFullYear()).padStart(4, '0')}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
}

/** ISO instant with the offset of the reader's place. */
export function localInstant(date: Date): string {
  const offset = -date.getTimezoneOffset();
  const size = Math.abs(offset);
  return `${localDay(date)}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}${offset < 0 ? '-' : '+'}${two(Math.floor(size / 60))}:${two(size % 60)}`;
}

/** Whether the browser's own date or date-time input can hold this text. */
export function isWholeDate(type: ItemType, text: string): boolean {
  return text === '' || (type === 'date' ? /^\d{4}-\d\d-\d\d$/ : /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/).test(text);
}

function readDateTime(text: string): ReadAnswer {
  if (isDate(text)) return answer({ valueDateTime: text });
  const date = new Date(text);
  return Number.isNaN(date.getTime()) ? problem(messages.form.notDateTime) : answer({ valueDateTime: localInstant(date) });
}

function localDateTime(value: string): string {
  if (!value.includes('T')) return value;
  const date = new Date(value);
  return Number.isNaN(date.getTime()) ? value : localInstant(date).slice(0, date.getSeconds() === 0 ? 16 : 19);
}

function isDate(text: string): boolean {
  const match = /^\d{4}(-(\d\d)(-(\d\d))?)?$/.exec(text);
  if (match === null) return false;
  const [, , month = '01', , day = '01'] = match;
  const date = new Date(`${text.slice(0, 4)}-${month}-${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.getUTCDate() === Number(day);
}

function answer(value: AnswerValue): ReadAnswer {
  return { kind: 'answer', value };
}

function problem(message: string): ReadAnswer {
  return { kind: 'problem', message };
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
