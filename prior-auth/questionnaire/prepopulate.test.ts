import { execFileSync } from 'node:child_process';
import type { Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { toAnswerValue } from './answer-value.ts';
import { ANSWER_CLEARED } from './extension-urls.ts';
import type { ItemType } from './form.ts';
import { prepopulate } from './prepopulate.ts';

const questionnaire: Questionnaire = { resourceType: 'Questionnaire', status: 'active', item: [{ linkId: 'q', type: 'integer', text: 'q' }] };
const author = { reference: 'Practitioner/me' };
const sources = [{ reference: 'Observation/1', display: 'test' }];
const draft = (item: QuestionnaireResponse['item']): QuestionnaireResponse => ({ resourceType: 'QuestionnaireResponse', status: 'in-progress', ...(item ? { item } : {}) });
const answered = (source?: string) => draft([{ linkId: 'q', answer: [{ valueInteger: 1, ...(source ? { extension: [{ url: DTR_URLS.informationOrigin, extension: [{ url: 'source', valueCode: source }] }] } : {}) }] }]);
const cleared = draft([{ linkId: 'q', extension: [{ url: ANSWER_CLEARED, valueBoolean: true }] }]);

describe('merging what the record says, by previous origin', () => {
  it.each<[string, QuestionnaireResponse, unknown[], string, number | undefined, string | undefined]>([
    ['unanswered, value', draft(undefined), [2], 'filled', 2, 'auto'],
    ['unanswered, nothing', draft(undefined), [], 'nothing-found', undefined, undefined],
    ['payer’s draft, value', answered(), [2], 'replaced', 2, 'auto'],
    ['payer’s draft, nothing', answered(), [], 'kept-earlier', 1, 'auto'],
    ['auto-server, value', answered('auto-server'), [2], 'replaced', 2, 'auto'],
    ['auto, value', answered('auto'), [2], 'replaced', 2, 'auto'],
    ['auto, same value', answered('auto'), [1], 'unchanged', 1, 'auto'],
    ['auto, nothing', answered('auto'), [], 'kept-earlier', 1, 'auto'],
    ['override, value', answered('override'), [2], 'kept-override', 1, 'override'],
    ['override, nothing', answered('override'), [], 'kept-override', 1, 'override'],
    ['manual, value', answered('manual'), [2], 'manual-became-override', 1, 'override'],
    ['manual, nothing', answered('manual'), [], 'kept-manual', 1, 'manual'],
    ['emptied by a person, value', cleared, [2], 'kept-empty', undefined, undefined],
    ['a value that is no answer', draft(undefined), ['many'], 'unfit', undefined, undefined],
  ])('%s', (_name, before, values, kind, value, origin) => {
    const merged = prepopulate({ questionnaire, draft: before, values: { q: { values, sources } }, author, today: '2026-11-22' });
    expect(merged.outcomes).toEqual([{ path: 'q', linkId: 'q', kind }]);
    const answer = merged.response.item?.find(({ linkId }) => linkId === 'q')?.answer?.[0];
    expect(answer?.valueInteger).toBe(value);
    expect(answer?.extension?.[0]?.extension?.[0]?.valueCode).toBe(origin);
    expect(merged.sources).toEqual(['filled', 'replaced', 'unchanged'].includes(kind) ? { q: sources } : {});
  });
});

describe('several answers, and groups that repeat', () => {
  const several: Questionnaire = { resourceType: 'Questionnaire', status: 'active', item: [{ linkId: 'q', type: 'integer', text: 'q', repeats: true }] };
  const rows: Questionnaire = { resourceType: 'Questionnaire', status: 'active', item: [{ linkId: 'g', type: 'group', text: 'g', repeats: true, item: [{ linkId: 'q', type: 'integer', text: 'q' }] }] };
  const merge = (form: Questionnaire, before: QuestionnaireResponse, values: Record<string, unknown[]>, more: object = {}) =>
    prepopulate({ questionnaire: form, draft: before, values: Object.fromEntries(Object.entries(values).map(([key, found]) => [key, { values: found, sources }])), author, today: '2026-11-22', ...more });
  const numbers = (response: QuestionnaireResponse) => (response.item ?? []).flatMap((item) => [...(item.answer ?? []), ...(item.item ?? []).flatMap(({ answer }) => answer ?? [])]).map(({ valueInteger }) => valueInteger);

  it('one of several that a person took away does not come back', () => {
    const populated = merge(several, draft(undefined), { q: [1, 2, 3] }).response;
    const fewer = { ...populated, item: populated.item?.map((item) => ({ ...item, answer: item.answer?.slice(1) ?? [] })) };
    const again = merge(several, fewer, { q: [1, 2, 3] }, { populated });
    expect(numbers(again.response)).toEqual([2, 3]);
    expect(again.outcomes[0]?.kind).toBe('kept-fewer');
    expect(numbers(merge(several, populated, { q: [1, 2, 3, 4] }, { populated }).response)).toEqual([1, 2, 3, 4]);
  });
  it.each<[string, number, number[], number[]]>([['more rows', 3, [1, 2, 9], [1, 2, 9]], ['fewer rows', 1, [8], [8]], ['no row: what was there stays', 0, [], [1, 2]]])('%s than before, untouched by a person', (_name, count, found, expected) => {
    const populated = merge(rows, draft(undefined), { 'g[0]/q': [1], 'g[1]/q': [2] }, { rows: { g: 2 } }).response;
    expect(numbers(populated)).toEqual([1, 2]);
    const again = merge(rows, populated, Object.fromEntries(found.map((value, index) => [`g[${index}]/q`, [value]])), { rows: { g: count }, populated });
    expect(numbers(again.response)).toEqual(expected);
  });
});

describe('results of expressions as answers', () => {
  const options = [{ value: { valueCoding: { system: 's', code: 'a', display: 'A' } }, label: 'A', exclusive: false, initial: false }];
  const units = [{ system: 'http://unitsofmeasure.org', code: '%', label: '%' }];
  it.each<[ItemType, unknown, unknown]>([
    ['boolean', true, { valueBoolean: true }], ['boolean', 'true', undefined], ['boolean', null, undefined],
    ['integer', 3, { valueInteger: 3 }], ['integer', 3.5, undefined], ['decimal', { value: 22 }, { valueDecimal: 22 }],
    ['date', '2026-11-12', { valueDate: '2026-11-12' }], ['date', '2026-11-12T23:30:00-05:00', { valueDate: '2026-11-12' }], ['date', '2026-13-01', undefined], ['date', 'soon', undefined],
    ['dateTime', '2026-11-12T23:30:00-05:00', { valueDateTime: '2026-11-12T23:30:00-05:00' }],
    ['choice', { coding: [{ system: 'x', code: 'z' }, { system: 's', code: 'a' }] }, options[0]?.value], ['choice', 'a', options[0]?.value], ['choice', 'b', undefined],
    ['quantity', 86, { valueQuantity: { value: 86, unit: '%', code: '%', system: 'http://unitsofmeasure.org' } }], ['quantity', { value: 86, unit: 'kg' }, undefined],
    ['string', { coding: [{ code: 'c', display: 'words' }] }, { valueString: 'words' }], ['string', '  ', undefined],
    ['reference', { resourceType: 'Device', id: '1' }, { valueReference: { reference: 'Device/1' } }],
  ])('%s from %j', (type, result, expected) => {
    expect(toAnswerValue({ type, options: type === 'choice' ? options : [], openOptions: false, units: type === 'quantity' ? units : [] }, result)).toEqual(expected);
  });
});

describe('dates are calendar days wherever the machine stands', () => {
  const program = `
    import { toAnswerValue, isDate } from ${JSON.stringify(new URL('./answer-value.ts', import.meta.url).href)};
    import { enableWhenHolds } from ${JSON.stringify(new URL('./enable-when.ts', import.meta.url).href)};
    const target = { type: 'date', options: [], openOptions: false, units: [] };
    console.log(JSON.stringify([
      toAnswerValue(target, '2026-03-29T00:30:00+13:00'), toAnswerValue(target, '2026-11-01T23:59:59-10:00'), isDate('2026-02-29'), isDate('2028-02-29'), isDate('2026-12-31'),
      enableWhenHolds({ question: 'q', operator: '>=', answerDate: '2026-03-29' }, ['2026-03-29']),
      enableWhenHolds({ question: 'q', operator: '>', answerDateTime: '2026-03-29T01:00:00+13:00' }, ['2026-03-28T13:00:00Z']),
    ]));`;
  it.each(['Pacific/Auckland', 'UTC', 'America/Los_Angeles'])('%s', (zone) => {
    const said = execFileSync(process.execPath, ['--input-type=module', '-e', program], { env: { ...process.env, TZ: zone }, encoding: 'utf8' });
    expect(JSON.parse(said)).toEqual([{ valueDate: '2026-03-29' }, { valueDate: '2026-11-01' }, false, true, true, true, true]);
  });
});
