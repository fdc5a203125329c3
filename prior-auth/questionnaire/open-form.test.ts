import type { Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import fc from 'fast-check';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';
import { describe, expect, it } from 'vitest';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { ANSWER_CLEARED } from './extension-urls.ts';
import type { AnswerValue, EvaluateFhirPath, Form, ShownItem } from './form.ts';
import { openForm } from './open-form.ts';

const H = 'http://hl7.org/fhir/StructureDefinition/';
const S = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
const evaluate: EvaluateFhirPath = (expression, context, variables) => fhirpath.evaluate(context, expression, { ...variables }, r4) as unknown[];
const author = { reference: 'Practitioner/me', display: 'Dr Me' };
const empty: QuestionnaireResponse = { resourceType: 'QuestionnaireResponse', status: 'in-progress' };
const fhirPath = (url: string, expression: string) => ({ url, valueExpression: { language: 'text/fhirpath' as const, expression } });
const origin = (source: string) => ({ url: DTR_URLS.informationOrigin, extension: [{ url: 'source', valueCode: source }] });

function form(item: QuestionnaireItem[], response: QuestionnaireResponse = empty, more: Partial<Questionnaire> = {}): Form {
  return openForm({ questionnaire: { resourceType: 'Questionnaire', status: 'active', title: 'Form', item, ...more }, response, author, today: '2026-11-22', evaluate });
}
const saved = (item: QuestionnaireResponseItem[]): QuestionnaireResponse => ({ ...empty, item });
const paths = (opened: Form) => opened.items().map(({ path }) => path);

describe('enableWhen, R4 questionnaire-enable-operator', () => {
  type When = NonNullable<QuestionnaireItem['enableWhen']>[number];
  const quantity = (value: number, code: string) => ({ value, code });
  it.each<[string, QuestionnaireItem['type'], AnswerValue | undefined, Omit<When, 'question'>, boolean]>([
    ['exists true, answered', 'string', { valueString: 'a' }, { operator: 'exists', answerBoolean: true }, true],
    ['exists true, empty', 'string', undefined, { operator: 'exists', answerBoolean: true }, false],
    ['exists false, empty', 'string', undefined, { operator: 'exists', answerBoolean: false }, true],
    ['exists false, answered', 'string', { valueString: 'a' }, { operator: 'exists', answerBoolean: false }, false],
    ['= boolean', 'boolean', { valueBoolean: true }, { operator: '=', answerBoolean: true }, true],
    ['= boolean false is an answer', 'boolean', { valueBoolean: false }, { operator: '=', answerBoolean: false }, true],
    ['= other', 'boolean', { valueBoolean: false }, { operator: '=', answerBoolean: true }, false],
    ['= without answer', 'boolean', undefined, { operator: '=', answerBoolean: true }, false],
    ['!= other', 'integer', { valueInteger: 3 }, { operator: '!=', answerInteger: 4 }, true],
    ['!= without answer: no answer is equal', 'integer', undefined, { operator: '!=', answerInteger: 4 }, true],
    ['!= same', 'integer', { valueInteger: 4 }, { operator: '!=', answerInteger: 4 }, false],
    ['> decimal', 'decimal', { valueDecimal: 4.1 }, { operator: '>', answerDecimal: 4 }, true],
    ['> equal', 'decimal', { valueDecimal: 4 }, { operator: '>', answerDecimal: 4 }, false],
    ['< integer', 'integer', { valueInteger: 3 }, { operator: '<', answerInteger: 4 }, true],
    ['< without answer', 'integer', undefined, { operator: '<', answerInteger: 4 }, false],
    ['>= equal', 'integer', { valueInteger: 4 }, { operator: '>=', answerInteger: 4 }, true],
    ['<= above', 'integer', { valueInteger: 5 }, { operator: '<=', answerInteger: 4 }, false],
    ['> date', 'date', { valueDate: '2026-03-02' }, { operator: '>', answerDate: '2026-03-01' }, true],
    ['> date of less precision, same month: cannot be said', 'date', { valueDate: '2026-03' }, { operator: '>', answerDate: '2026-03-01' }, false],
    ['< date of less precision, earlier month', 'date', { valueDate: '2026-02' }, { operator: '<', answerDate: '2026-03-01' }, true],
    ['= dateTime in another zone is the same instant', 'dateTime', { valueDateTime: '2026-03-01T12:00:00Z' }, { operator: '=', answerDateTime: '2026-03-01T13:00:00+01:00' }, true],
    ['< time', 'time', { valueTime: '08:00:00' }, { operator: '<', answerTime: '09:00:00' }, true],
    ['= coding', 'choice', { valueCoding: { system: 's', code: 'a', display: 'x' } }, { operator: '=', answerCoding: { system: 's', code: 'a' } }, true],
    ['= coding of another system', 'choice', { valueCoding: { system: 't', code: 'a' } }, { operator: '=', answerCoding: { system: 's', code: 'a' } }, false],
    ['<= quantity', 'quantity', { valueQuantity: quantity(88, '%') }, { operator: '<=', answerQuantity: quantity(88, '%') }, true],
    ['<= quantity in another unit: not compared', 'quantity', { valueQuantity: quantity(50, 'mm[Hg]') }, { operator: '<=', answerQuantity: quantity(88, '%') }, false],
    ['= reference', 'reference', { valueReference: { reference: 'Device/1', display: 'x' } }, { operator: '=', answerReference: { reference: 'Device/1' } }, true],
  ])('%s', (_name, type, value, when, shown) => {
    const opened = form([{ linkId: 'q', type, text: 'q' }, { linkId: 't', type: 'string', text: 't', enableWhen: [{ question: 'q', ...when }] }], saved(value ? [{ linkId: 'q', answer: [value] }] : []));
    expect(paths(opened).includes('t')).toBe(shown);
  });

  it.each<['all' | 'any', boolean, boolean, boolean]>([['all', true, true, true], ['all', true, false, false], ['any', true, false, true], ['any', false, false, false]])('%s of %s and %s', (enableBehavior, a, b, shown) => {
    const opened = form(
      [...['a', 'b'].map((linkId) => ({ linkId, type: 'boolean' as const, text: linkId })),
        { linkId: 't', type: 'string', text: 't', enableBehavior, enableWhen: ['a', 'b'].map((question) => ({ question, operator: '=' as const, answerBoolean: true })) }],
      saved([{ linkId: 'a', answer: [{ valueBoolean: a }] }, { linkId: 'b', answer: [{ valueBoolean: b }] }]));
    expect(paths(opened).includes('t')).toBe(shown);
  });

  it('the answer of a disabled question does not count, and is not sent, but comes back', () => {
    const yes = (question: string) => [{ question, operator: '=' as const, answerBoolean: true }];
    const opened = form([
      { linkId: 'a', type: 'boolean', text: 'a' }, { linkId: 'b', type: 'boolean', text: 'b', enableWhen: yes('a') }, { linkId: 'c', type: 'string', text: 'c', enableWhen: yes('b') },
    ]);
    opened.setAnswer('a', 0, { valueBoolean: true });
    opened.setAnswer('b', 0, { valueBoolean: true });
    opened.setAnswer('c', 0, { valueString: 'x' });
    opened.setAnswer('a', 0, { valueBoolean: false });
    expect(paths(opened)).toEqual(['a']);
    expect(opened.response().item?.map(({ linkId }) => linkId)).toEqual(['a']);
    opened.setAnswer('a', 0, { valueBoolean: true });
    expect(opened.response().item?.map(({ linkId }) => linkId)).toEqual(['a', 'b', 'c']);
  });

  it('in a repeating group the question of the same instance is meant', () => {
    const opened = form([{ linkId: 'g', type: 'group', repeats: true, item: [
      { linkId: 'a', type: 'boolean', text: 'a' }, { linkId: 'b', type: 'string', text: 'b', enableWhen: [{ question: 'a', operator: '=', answerBoolean: true }] },
    ] }]);
    opened.addGroup('g[0]');
    opened.setAnswer('g[1]/a', 0, { valueBoolean: true });
    expect(paths(opened)).toEqual(['g[0]', 'g[0]/a', 'g[1]', 'g[1]/a', 'g[1]/b']);
  });
});

describe('expressions reach a fixed point', () => {
  const total = fhirPath(`${S}calculatedExpression`, `%resource.item.where(linkId='a').answer.value + %resource.item.where(linkId='b').answer.value`);
  const items: QuestionnaireItem[] = [
    { linkId: 'a', type: 'integer', text: 'a' }, { linkId: 'b', type: 'integer', text: 'b' },
    { linkId: 'sum', type: 'integer', text: 'sum', extension: [total] },
    { linkId: 'big', type: 'string', text: 'big', extension: [fhirPath(`${S}enableWhenExpression`, `%resource.item.where(linkId='sum').answer.value > 10`)] },
  ];
  it('calculates, then enables', () => {
    const opened = form(items);
    opened.setAnswer('a', 0, { valueInteger: 6 });
    expect(paths(opened)).not.toContain('big');
    opened.setAnswer('b', 0, { valueInteger: 5 });
    expect(opened.items().find(({ path }) => path === 'sum')?.answers[0]).toMatchObject({ value: { valueInteger: 11 }, origin: 'auto' });
    expect(paths(opened)).toContain('big');
  });
  it('what a person changed is not calculated again', () => {
    const opened = form(items);
    opened.setAnswer('a', 0, { valueInteger: 6 });
    opened.setAnswer('b', 0, { valueInteger: 5 });
    opened.setAnswer('sum', 0, { valueInteger: 1 });
    opened.setAnswer('a', 0, { valueInteger: 7 });
    expect(opened.items().find(({ path }) => path === 'sum')?.answers[0]).toMatchObject({ value: { valueInteger: 1 }, origin: 'override', author: { reference: 'Practitioner/me' } });
  });
  it('a form whose values never rest is reported and stays usable', () => {
    const opened = form([{ linkId: 'x', type: 'integer', text: 'x', extension: [fhirPath(`${S}calculatedExpression`, `iif(%resource.item.where(linkId='x').answer.value.empty(), 1, %resource.item.where(linkId='x').answer.value + 1)`)] }]);
    expect(opened.view().problems).toMatchObject([{ path: '', code: 'oscillation', blocking: false }]);
    expect(opened.complete().kind).toBe('completed');
  });
  it('an expression that fails leaves the question open to a person', () => {
    const opened = form([{ linkId: 'x', type: 'string', text: 'x', extension: [fhirPath(`${S}enableWhenExpression`, 'this is no FHIRPath (')] }]);
    expect(opened.view().problems).toMatchObject([{ path: 'x', code: 'expression', blocking: false }]);
  });
  it('variables may be written in any order', () => {
    const variable = (name: string, expression: string) => ({ url: `${H}variable`, valueExpression: { name, language: 'text/fhirpath' as const, expression } });
    const opened = form([{ linkId: 'x', type: 'integer', text: 'x', extension: [fhirPath(`${S}calculatedExpression`, '%larger')] }], empty, { extension: [variable('larger', '%base + 1'), variable('base', '1')] });
    expect(opened.items()[0]?.answers[0]?.value).toEqual({ valueInteger: 2 });
  });
});

describe('who answered', () => {
  const one: QuestionnaireItem[] = [{ linkId: 'q', type: 'string', text: 'q' }];
  const answered = (source?: string) => saved([{ linkId: 'q', answer: [{ valueString: 'a', ...(source ? { extension: [origin(source)] } : {}) }] }]);
  it.each<[string, QuestionnaireResponse, string]>([
    ['nothing before', saved([]), 'manual'], ['auto', answered('auto'), 'override'], ['auto-client (2.2.0)', answered('auto-client'), 'override'], ['auto-server (2.2.0)', answered('auto-server'), 'override'],
    ['no origin: the payer’s draft', answered(), 'override'], ['override', answered('override'), 'override'], ['manual', answered('manual'), 'manual'],
  ])('a person changes an answer whose origin was %s', (_name, response, expected) => {
    const opened = form(one, response);
    opened.setAnswer('q', 0, { valueString: 'b' });
    expect(opened.response().item?.[0]?.answer?.[0]).toMatchObject({ valueString: 'b', extension: [{ url: DTR_URLS.informationOrigin, extension: [{ url: 'source', valueCode: expected }, { url: 'author', extension: [{ url: 'practitioner', valueReference: { reference: 'Practitioner/me' } }] }] }] });
  });
  it('the same value again changes nothing', () => {
    const opened = form(one, answered('auto'));
    opened.setAnswer('q', 0, { valueString: 'a' });
    expect(opened.view().items[0]?.answers[0]?.origin).toBe('auto');
  });
  it('what a person emptied is remembered in drafts and dropped when completed', () => {
    const opened = form(one, answered('auto'));
    opened.clear('q');
    expect(opened.response().item?.[0]).toMatchObject({ linkId: 'q', extension: [{ url: ANSWER_CLEARED, valueBoolean: true }] });
    const done = opened.complete();
    expect(done.kind === 'completed' && done.response.item).toBeFalsy();
  });
  it('foreign extensions and root metadata stay', () => {
    const foreign = { url: 'http://foreign', valueString: 'keep' };
    const response: QuestionnaireResponse = { ...empty, id: 'r1', meta: { versionId: '3' }, extension: [foreign], subject: { reference: 'Patient/1' }, item: [{ linkId: 'q', extension: [foreign], answer: [{ id: 'x', valueString: 'a', extension: [foreign, origin('auto')] }] }] };
    const opened = form(one, response);
    expect(opened.response()).toEqual({ ...response, item: [{ linkId: 'q', text: 'q', extension: [foreign], answer: [{ id: 'x', valueString: 'a', extension: [foreign, origin('auto')] }] }] });
    opened.setAnswer('q', 0, { valueString: 'b' });
    expect(opened.response().item?.[0]?.answer?.[0]).toMatchObject({ id: 'x', extension: [foreign, { url: DTR_URLS.informationOrigin }] });
  });
});

describe('gaps and problems', () => {
  const code = (value: string) => ({ valueCoding: { system: 's', code: value, display: value } });
  it.each<[string, Partial<QuestionnaireItem> & Pick<QuestionnaireItem, 'type'>, AnswerValue, string | undefined]>([
    ['a whole number', { type: 'integer' }, { valueInteger: 1.5 }, 'type'],
    ['a number above', { type: 'decimal', extension: [{ url: `${H}maxValue`, valueDecimal: 5 }] }, { valueDecimal: 6 }, 'range'],
    ['a number at the limit', { type: 'decimal', extension: [{ url: `${H}maxValue`, valueDecimal: 5 }] }, { valueDecimal: 5 }, undefined],
    ['a date before', { type: 'date', extension: [{ url: `${H}minValue`, valueDate: '2026-01-01' }] }, { valueDate: '2025-12-31' }, 'range'],
    ['no day of the calendar', { type: 'date' }, { valueDate: '2026-02-30' }, 'type'],
    ['a leap day', { type: 'date' }, { valueDate: '2028-02-29' }, undefined],
    ['too long', { type: 'string', maxLength: 3 }, { valueString: 'abcd' }, 'length'],
    ['pattern', { type: 'string', extension: [{ url: `${H}regex`, valueString: '[0-9]+' }] }, { valueString: 'a1' }, 'pattern'],
    ['a pattern that is none', { type: 'string', extension: [{ url: `${H}regex`, valueString: '[' }] }, { valueString: 'a' }, undefined],
    ['decimals', { type: 'decimal', extension: [{ url: `${H}maxDecimalPlaces`, valueInteger: 1 }] }, { valueDecimal: 1.25 }, 'decimal-places'],
    ['another unit', { type: 'quantity', extension: [{ url: `${H}questionnaire-unitOption`, valueCoding: { code: '%' } }] }, { valueQuantity: { value: 1, code: 'kg' } }, 'unit'],
    ['no option', { type: 'choice', answerOption: [code('a')] }, code('b'), 'not-an-option'],
    ['open choice in words', { type: 'open-choice', answerOption: [code('a')] }, { valueString: 'other' }, undefined],
    ['reference type', { type: 'reference', extension: [{ url: `${H}questionnaire-referenceResource`, valueCode: 'Device' }] }, { valueReference: { reference: 'Patient/1' } }, 'reference-type'],
    ['wrong kind of value', { type: 'boolean' }, { valueString: 'yes' }, 'type'],
  ])('%s', (_name, item, value, expected) => {
    const opened = form([{ linkId: 'q', text: 'q', ...item }]);
    opened.setAnswer('q', 0, value);
    expect(opened.view().problems.map((problem) => problem.code)).toEqual(expected ? [expected] : []);
    expect(opened.complete().kind).toBe(expected ? 'incomplete' : 'completed');
    expect(JSON.stringify(opened.view().problems)).not.toContain('abcd');
  });
  it('gaps in form order, disabled and answered ones left out', () => {
    const opened = form([
      { linkId: 'g', type: 'group', text: 'g', item: [{ linkId: 'a', type: 'boolean', text: 'A', required: true }, { linkId: 'b', type: 'string', text: 'B' }] },
      { linkId: 'c', type: 'string', text: 'C', required: true, enableWhen: [{ question: 'a', operator: '=', answerBoolean: true }] }, { linkId: 'd', type: 'string', text: 'D', required: true },
    ]);
    expect(opened.gaps().map(({ path }) => path)).toEqual(['g/a', 'd']);
    opened.setAnswer('g/a', 0, { valueBoolean: true });
    expect(opened.gaps().map(({ path }) => path)).toEqual(['c', 'd']);
  });
  it('an exclusive option stands alone', () => {
    const opened = form([{ linkId: 'q', type: 'choice', text: 'q', repeats: true, answerOption: [code('a'), code('b'), { ...code('none'), extension: [{ url: `${H}questionnaire-optionExclusive`, valueBoolean: true }] }] }]);
    opened.addAnswer('q', code('a'));
    opened.addAnswer('q', code('none'));
    expect(opened.items()[0]?.answers.map(({ value }) => value.valueCoding?.code)).toEqual(['none']);
    opened.addAnswer('q', code('b'));
    expect(opened.items()[0]?.answers.map(({ value }) => value.valueCoding?.code)).toEqual(['b']);
  });
  it.each(['nowhere', '', 'g/x', 'q[9]'])('an address that is not there: %j', (path) => {
    expect(() => form([{ linkId: 'q', type: 'string', text: 'q' }]).setAnswer(path, 0, { valueString: 'x' })).toThrow(RangeError);
  });
});

describe('what is shown is what is saved', () => {
  const yes = (question: string) => [{ question, operator: '=' as const, answerBoolean: true }];
  const items: QuestionnaireItem[] = [
    { linkId: 'a', type: 'boolean', text: 'a', item: [{ linkId: 'a1', type: 'string', text: 'under' }] },
    { linkId: 'g', type: 'group', text: 'g', repeats: true, enableWhen: yes('a'), item: [
      { linkId: 'b', type: 'boolean', text: 'b' }, { linkId: 'n', type: 'integer', text: 'n', repeats: true, enableWhen: yes('b'), item: [{ linkId: 'n/1', type: 'boolean', text: 'odd [link]' }] },
    ] },
    { linkId: 's', type: 'integer', text: 's', extension: [fhirPath(`${S}calculatedExpression`, `%resource.item.where(linkId='g').item.where(linkId='n').answer.count()`)] },
  ];
  const flat = (shown: readonly ShownItem[]): unknown[] => shown.flatMap((item): unknown[] => [
    ...item.answers.flatMap((answer): unknown[] => [[item.linkId, answer.value, answer.origin], ...flat(answer.items)]), ...flat(item.items),
  ]);
  const flatSaved = (list: readonly QuestionnaireResponseItem[]): unknown[] => list.flatMap((item): unknown[] => [
    ...(item.answer ?? []).flatMap((answer): unknown[] => {
      const { item: inner, extension, ...value } = answer;
      return [[item.linkId, value, extension?.find(({ url }) => url === DTR_URLS.informationOrigin)?.extension?.find(({ url }) => url === 'source')?.valueCode], ...flatSaved(inner ?? [])];
    }), ...flatSaved(item.item ?? []),
  ]);
  it('after random edits in any order, also when saved and opened again', () => {
    fc.assert(fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(5), fc.integer({ min: -3, max: 3 })), { maxLength: 30 }), (edits) => {
      let opened = form(items);
      for (const [pick, kind, number] of edits) {
        const visible = opened.items();
        const item = visible[pick % visible.length];
        if (!item) continue;
        const value: AnswerValue = item.type === 'boolean' ? { valueBoolean: number > 0 } : item.type === 'integer' ? { valueInteger: number } : { valueString: `t${number}` };
        if (item.type === 'group') {
          if (kind % 2 === 0 && (item.instance?.count ?? 0) < 4) opened.addGroup(item.path);
          else opened.removeGroup(item.path);
        } else if (kind <= 2) opened.setAnswer(item.path, 0, value);
        else if (kind === 3 && item.repeats) opened.addAnswer(item.path, value);
        else if (kind === 4) opened.clear(item.path);
        else opened = form(items, opened.response());
        const response = opened.response();
        expect(flatSaved(response.item ?? [])).toEqual(flat(opened.view().items));
        expect(flat(form(items, response).view().items)).toEqual(flat(opened.view().items));
      }
    }), { numRuns: 150 });
  });
});
