import { describe, expect, it } from 'vitest';
import { originWords } from './answer-origin-line.tsx';
import { answerText, editText, isSameAnswer, localInstant, readAnswer } from './answer-text.ts';

describe('reading what was typed', () => {
  it.each([
    ['integer', '12', { valueInteger: 12 }],
    ['integer', ' -3 ', { valueInteger: -3 }],
    ['decimal', '1.', { valueDecimal: 1 }],
    ['decimal', '.5', { valueDecimal: 0.5 }],
    ['date', '2026-02-28', { valueDate: '2026-02-28' }],
    ['date', '2026-02', { valueDate: '2026-02' }],
    ['date', '2026', { valueDate: '2026' }],
    ['time', '09:30', { valueTime: '09:30:00' }],
    ['time', '09:30:15', { valueTime: '09:30:15' }],
    ['url', 'https://example.org', { valueUri: 'https://example.org' }],
    ['reference', 'Observation/12', { valueReference: { reference: 'Observation/12' } }],
    ['string', 'two words ', { valueString: 'two words ' }],
    ['text', 'a\nb', { valueString: 'a\nb' }],
  ] as const)('%s %j', (type, typed, value) => {
    expect(readAnswer(type, typed)).toEqual({ kind: 'answer', value });
  });

  it.each([
    ['integer', '1.5'], ['integer', 'x'], ['decimal', '1,5'], ['decimal', 'NaN'], ['date', '2026-02-30'], ['date', '2026-13'], ['date', 'soon'], ['dateTime', 'soon'], ['reference', 'http://elsewhere/Observation/1'],
  ] as const)('%s %j is a problem, never an answer', (type, typed) => {
    expect(readAnswer(type, typed).kind).toBe('problem');
  });

  it.each(['integer', 'date', 'string', 'text', 'dateTime'] as const)('empty %s is no answer', (type) => {
    expect(readAnswer(type, '  ')).toEqual({ kind: 'empty' });
  });

  it('a date-time goes through the input and back', () => {
    const date = new Date(2026, 10, 22, 9, 30, 0);
    const value = { valueDateTime: localInstant(date) };
    expect(editText(value)).toBe('2026-11-22T09:30');
    expect(readAnswer('dateTime', editText(value))).toEqual({ kind: 'answer', value });
  });
});

describe('answers in words', () => {
  it.each([
    [{ valueBoolean: false }, 'No'],
    [{ valueCoding: { code: 'a', display: 'Mask' } }, 'Mask'],
    [{ valueCoding: { code: 'a' } }, 'a'],
    [{ valueQuantity: { value: 0, unit: '%' } }, '0 %'],
    [{ valueReference: { reference: 'Observation/1' } }, 'Observation/1'],
    [{ valueAttachment: {} }, 'file without a name'],
  ])('%j is %s', (value, words) => {
    expect(answerText(value)).toBe(words);
  });

  it('matches codings by system and code, not by display', () => {
    expect(isSameAnswer({ valueCoding: { system: 's', code: 'a', display: 'A' } }, { valueCoding: { system: 's', code: 'a' } })).toBe(true);
    expect(isSameAnswer({ valueCoding: { system: 's', code: 'a' } }, { valueCoding: { system: 't', code: 'a' } })).toBe(false);
  });
});

describe('origin words', () => {
  const me = 'Practitioner/me';
  const other = { reference: 'Practitioner/other', display: 'Nurse Okonkwo' };
  it.each([
    [{ origin: 'auto' }, 'From the record'],
    [{ origin: 'override', author: { reference: me } }, 'Changed by you'],
    [{ origin: 'override', author: other }, 'Changed by Nurse Okonkwo'],
    [{ origin: 'manual' }, 'Entered by you'],
    [{ origin: 'manual', author: { reference: 'Practitioner/x' } }, 'Entered by someone else'],
  ] as const)('%j: %s', (answer, words) => {
    expect(originWords(answer, me)).toBe(words);
  });
});
