import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Extension, Questionnaire, QuestionnaireItem, QuestionnaireResponse } from '@medplum/fhirtypes';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';
import { describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { draftResponse } from './draft-response.ts';
import type { AnswerValue, EvaluateFhirPath, Form, OpenFormOptions, ShownItem } from './form.ts';
import { openForm } from './open-form.ts';
import { typedPath } from './typed-path.ts';

/* Every element and extension of DTR's questionnaire profiles that a screen or a response must act on. */

const H = 'http://hl7.org/fhir/StructureDefinition/';
const S = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
const evaluate: EvaluateFhirPath = (expression, context, variables) => fhirpath.evaluate(context, typedPath(expression, context), { ...variables }, r4) as unknown[];
const author = { reference: 'Practitioner/me', display: 'Dr Me', roleCode: '207R00000X' };
const now = () => '2026-11-22T10:00:00+01:00';
const empty: QuestionnaireResponse = { resourceType: 'QuestionnaireResponse', status: 'in-progress' };
const fhirPath = (url: string, expression: string): Extension => ({ url, valueExpression: { language: 'text/fhirpath', expression } });
const control = (code: string): Extension => ({ url: `${H}questionnaire-itemControl`, valueCodeableConcept: { coding: [{ system: 'http://hl7.org/fhir/questionnaire-item-control', code }] } });
const coding = (code: string) => ({ valueCoding: { system: 'urn:s', code, display: code } });

type Loose = Omit<QuestionnaireItem, 'type' | 'linkId' | 'item'> & { readonly type: string; readonly linkId?: string; readonly _text?: object; readonly _required?: object; readonly _readOnly?: object; readonly item?: readonly Loose[] };

function form(items: readonly Loose[], more: Partial<Questionnaire> = {}, options: Partial<OpenFormOptions> = {}): Form {
  const item = items.map((one, index) => ({ linkId: `q${index}`, text: `Question ${index}`, ...one })) as QuestionnaireItem[];
  return openForm({ questionnaire: { resourceType: 'Questionnaire', status: 'active', title: 'Form', item, ...more }, response: empty, author, today: '2026-11-22', now, evaluate, ...options });
}
function first(item: Loose, more: Partial<Questionnaire> = {}): ShownItem {
  const [shown] = form([item], more).view().items;
  if (!shown) throw new Error('nothing shown');
  return shown;
}

describe('what is shown of an item', () => {
  const png = 'iVBORw0KGgo=';
  it.each<[string, Loose, object]>([
    ['supportLink, several', { type: 'string', extension: [{ url: `${H}questionnaire-supportLink`, valueUri: 'https://a.example' }, { url: `${H}questionnaire-supportLink`, valueUri: 'javascript:alert(1)' }] }, { supportLinks: [{ url: 'https://a.example' }] }],
    ['supportHyperlink (2.2.0)', { type: 'string', extension: [{ url: `${H}questionnaire-supportHyperlink`, extension: [{ url: 'label', valueString: 'Policy' }, { url: 'link', valueUri: 'https://a.example/p' }] }] }, { supportLinks: [{ url: 'https://a.example/p', label: 'Policy' }] }],
    ['help, prompt, unit, lower, upper', { type: 'integer', item: [{ type: 'display', text: 'H', extension: [control('help')] }, { type: 'display', text: 'P', extension: [control('prompt')] }, { type: 'display', text: 'U', extension: [control('unit')] }, { type: 'display', text: 'L', extension: [control('lower')] }, { type: 'display', text: 'M', extension: [control('upper')] }, { type: 'display', text: 'and more' }] }, { help: 'H and more', prompt: 'P', unitText: 'U', lowerLabel: 'L', upperLabel: 'M', items: [] }],
    ['rendering-xhtml on the text', { type: 'string', _text: { extension: [{ url: `${H}rendering-xhtml`, valueString: '<b>x</b>' }] } }, { labelXhtml: '<b>x</b>' }],
    ['rendering-style is ignored', { type: 'string', _text: { extension: [{ url: `${H}rendering-style`, valueString: 'color: red' }] } }, { label: 'Question 0' }],
    ['entryFormat, shortText, displayCategory', { type: 'string', extension: [{ url: `${H}entryFormat`, valueString: 'nnn' }, { url: `${S}shortText`, valueString: 'Short' }, { url: `${H}questionnaire-displayCategory`, valueCodeableConcept: { coding: [{ code: 'security' }] } }] }, { entryFormat: 'nnn', shortText: 'Short', displayCategory: 'security' }],
    ['mimeType and maxSize', { type: 'attachment', extension: [{ url: `${H}mimeType`, valueCode: 'application/pdf' }, { url: `${H}maxSize`, valueDecimal: 1.5 }] }, { constraints: { mimeTypes: ['application/pdf'], maxSizeMb: 1.5 } }],
    ['slider', { type: 'integer', extension: [control('slider'), { url: `${H}questionnaire-sliderStepValue`, valueInteger: 2 }, { url: `${H}minValue`, valueInteger: 0 }, { url: `${H}maxValue`, valueInteger: 10 }] }, { control: 'slider', constraints: { sliderStep: 2, min: 0, max: 10 } }],
    ['referenceResource and referenceProfile', { type: 'reference', extension: [{ url: `${H}questionnaire-referenceResource`, valueCode: 'Device' }, { url: `${H}questionnaire-referenceProfile`, valueCanonical: 'http://p/StructureDefinition/x' }] }, { referenceTypes: ['Device'], referenceProfiles: ['http://p/StructureDefinition/x'] }],
    ['lookupQuestionnaire', { type: 'string', extension: [{ url: `${S}lookupQuestionnaire`, valueUri: 'http://p/Questionnaire/find' }] }, { lookupQuestionnaire: 'http://p/Questionnaire/find' }],
    ['collapsible', { type: 'group', item: [{ linkId: 'i', type: 'string' }], extension: [{ url: `${S}collapsible`, valueCode: 'default-closed' }] }, { collapsible: 'default-closed' }],
    ['choiceOrientation and openLabel', { type: 'open-choice', answerOption: [coding('a')], extension: [{ url: `${H}questionnaire-choiceOrientation`, valueCode: 'horizontal' }, { url: `${S}openLabel`, valueString: 'Else' }] }, { horizontal: true, openLabel: 'Else' }],
    ['itemMedia with data', { type: 'string', extension: [{ url: `${S}itemMedia`, valueAttachment: { contentType: 'image/png', data: png, title: 'Where' } }] }, { media: { contentType: 'image/png', url: `data:image/png;base64,${png}`, title: 'Where' }, supportLinks: [] }],
    ['itemMedia at a payer’s address becomes a link', { type: 'string', extension: [{ url: `${S}itemMedia`, valueAttachment: { contentType: 'image/png', url: 'https://payer.example/p.png' } }] }, { supportLinks: [{ url: 'https://payer.example/p.png' }] }],
    ['a drawing that could carry scripts is not shown', { type: 'string', extension: [{ url: `${S}itemMedia`, valueAttachment: { contentType: 'image/svg+xml', data: png } }] }, { supportLinks: [] }],
    ['option: xhtml, prefix, weight', { type: 'choice', answerOption: [{ valueCoding: { code: 'a', display: 'A', _display: { extension: [{ url: `${H}rendering-xhtml`, valueString: '<i>A</i>' }] } } as never, extension: [{ url: `${H}questionnaire-optionPrefix`, valueString: '1.' }, { url: `${H}itemWeight`, valueDecimal: 3 }] }] }, { options: [{ label: '1. A', labelXhtml: '<i>A</i>', weight: 3 }] }],
    ['value set that is not here', { type: 'choice', answerValueSet: 'http://vs' }, { searchOptions: true, options: [] }],
    ['usageMode display is not for entry', { type: 'string', extension: [{ url: `${H}questionnaire-usageMode`, valueCode: 'display' }] }, { readOnly: true }],
    ['a type of a later version', { type: 'coding', answerOption: [coding('a')] }, { type: 'choice' }],
    ['a type of nobody', { type: 'hologram' }, { type: 'question', unknownType: 'hologram' }],
    ['a group of nobody’s type', { type: 'carousel', item: [{ linkId: 'i', type: 'string' }] }, { type: 'group', unknownType: 'carousel', items: [{ linkId: 'i' }] }],
    ['a control of nobody', { type: 'string', extension: [control('hologram')] }, { control: 'hologram' }],
    ['an extension without url', { type: 'string', extension: [{ valueString: 'x' } as Extension] }, { type: 'string' }],
  ])('%s', (_name, item, expected) => {
    expect(first(item)).toMatchObject(expected);
  });
  it('contained media', () => {
    const shown = first({ type: 'string', extension: [{ url: `${S}itemMedia`, valueAttachment: { url: '#pic' } }] }, { contained: [{ resourceType: 'Binary', id: 'pic', contentType: 'image/png', data: png }] });
    expect(shown.media?.url).toBe(`data:image/png;base64,${png}`);
  });
  it('hidden, and display-non-empty while empty, are not shown', () => {
    expect(form([{ type: 'string', extension: [{ url: `${H}questionnaire-hidden`, valueBoolean: true }] }, { type: 'string', extension: [{ url: `${H}questionnaire-usageMode`, valueCode: 'display-non-empty' }] }]).items()).toEqual([]);
  });
  it('root: entryMode, performerType', () => {
    expect(form([{ type: 'string' }], { extension: [{ url: `${S}entryMode`, valueCode: 'sequential' }, { url: `${S}performerType`, valueCode: 'Practitioner' }] }).view()).toMatchObject({ entryMode: 'sequential', performerTypes: ['Practitioner'] });
    expect(form([{ type: 'string' }]).view()).toMatchObject({ entryMode: 'random', performerTypes: [] });
  });
});

describe('rules of the form', () => {
  const answer = (linkId: string) => `%resource.item.where(linkId = '${linkId}').answer.value`;
  const constraint = (severity: string, expression: string): Extension => ({ url: `${H}questionnaire-constraint`, extension: [{ url: 'key', valueId: 'c1' }, { url: 'severity', valueCode: severity }, { url: 'expression', valueString: expression }, { url: 'human', valueString: 'First before second.' }] });
  it.each([['error', true], ['warning', false]])('constraint with severity %s on the item', (severity, blocking) => {
    const opened = form([{ type: 'integer' }, { type: 'integer', extension: [constraint(severity, `${answer('q0')} < ${answer('q1')}`)] }]);
    opened.setAnswer('q0', 0, { valueInteger: 5 });
    opened.setAnswer('q1', 0, { valueInteger: 4 });
    expect(opened.view().problems).toEqual([{ path: 'q1', code: 'constraint', message: 'First before second.', blocking }]);
    expect(opened.complete().kind).toBe(blocking ? 'incomplete' : 'completed');
    opened.setAnswer('q1', 0, { valueInteger: 6 });
    expect(opened.view().problems).toEqual([]);
  });
  it('targetConstraint on the form, and a constraint on a hidden item, are told for the whole form', () => {
    const target: Extension = { url: `${H}targetConstraint`, extension: [{ url: 'key', valueId: 't' }, { url: 'severity', valueCode: 'error' }, fhirPath('expression', `${answer('q0')} > 3`), { url: 'human', valueString: 'More than three.' }] };
    const opened = form([{ type: 'integer' }, { type: 'integer', extension: [fhirPath(`${S}calculatedExpression`, answer('q0')), { url: `${H}questionnaire-hidden`, valueBoolean: true }, constraint('warning', `${answer('q1')} > 3`)] }], { extension: [target] });
    opened.setAnswer('q0', 0, { valueInteger: 1 });
    expect(opened.view().problems.map(({ path, message, blocking }) => [path, message, blocking])).toEqual([['', 'First before second.', false], ['', 'More than three.', true]]);
  });
  it('answerOptionsToggleExpression offers and takes away; an answer taken away is told, not lost', () => {
    const toggle: Extension = { url: `${S}answerOptionsToggleExpression`, extension: [{ url: 'option', ...coding('b') }, fhirPath('expression', `${answer('q0')} = true`)] };
    const opened = form([{ type: 'boolean' }, { type: 'choice', answerOption: [coding('a'), coding('b')], extension: [toggle] }]);
    const labels = () => opened.view().items[1]?.options.map(({ label }) => label);
    expect(labels()).toEqual(['a']);
    opened.setAnswer('q0', 0, { valueBoolean: true });
    expect(labels()).toEqual(['a', 'b']);
    opened.setAnswer('q1', 0, coding('b'));
    opened.setAnswer('q0', 0, { valueBoolean: false });
    expect(opened.view().items[1]).toMatchObject({ answers: [{ value: coding('b') }], problems: [{ code: 'not-an-option' }] });
  });
  it('cqf-expression on text, required and readOnly', () => {
    const beside = (expression: string) => ({ extension: [fhirPath(`${H}cqf-expression`, expression)] });
    const opened = form([{ type: 'boolean' }, { type: 'string', _text: beside(`iif(${answer('q0')}, 'Which?', 'Why not?')`), _required: beside(answer('q0')) }, { type: 'string', _readOnly: beside(answer('q0')) }]);
    opened.setAnswer('q0', 0, { valueBoolean: true });
    expect(opened.view().items.slice(1)).toMatchObject([{ label: 'Which?', required: true }, { readOnly: true }]);
    expect(() => opened.setAnswer('q2', 0, { valueString: 'x' })).toThrow(RangeError);
    opened.setAnswer('q1', 0, { valueString: 'x' });
    expect(opened.response().item?.[1]?.text).toBe('Which?');
  });
  it('a variable of a group is seen below it, per instance', () => {
    const opened = form([{ type: 'group', repeats: true, extension: [{ url: `${H}variable`, valueExpression: { name: 'own', language: 'text/fhirpath', expression: `%context.item.where(linkId = 'n').answer.value` } }], item: [{ linkId: 'n', type: 'integer' }, { linkId: 'd', type: 'integer', extension: [fhirPath(`${S}calculatedExpression`, '%own * 2')] }] }]);
    opened.addGroup('q0[0]');
    opened.setAnswer('q0[0]/n', 0, { valueInteger: 2 });
    opened.setAnswer('q0[1]/n', 0, { valueInteger: 5 });
    expect(opened.items().filter(({ linkId }) => linkId === 'd').map(({ answers }) => answers[0]?.value)).toEqual([{ valueInteger: 4 }, { valueInteger: 10 }]);
  });
  it('minOccurs and maxOccurs of a group; min and max in their own unit only; a new instance begins with initial values', () => {
    const opened = form([
      { type: 'group', repeats: true, extension: [{ url: `${H}questionnaire-minOccurs`, valueInteger: 2 }], item: [{ linkId: 'n', type: 'integer', initial: [{ valueInteger: 1 }] }] },
      { type: 'quantity', extension: [{ url: `${S}maxQuantity`, valueQuantity: { value: 100, code: 'kg' } }] },
    ]);
    expect(opened.view().problems).toMatchObject([{ path: 'q0[0]', code: 'occurs', blocking: true }]);
    opened.addGroup('q0[0]');
    opened.setAnswer('q1', 0, { valueQuantity: { value: 200, code: '[lb_av]' } });
    expect(opened.view().problems).toEqual([]);
    expect(opened.items().find(({ path }) => path === 'q0[1]/n')?.answers).toMatchObject([{ value: { valueInteger: 1 }, origin: 'auto' }]);
    opened.setAnswer('q1', 0, { valueQuantity: { value: 200, code: 'kg' } });
    expect(opened.view().problems).toMatchObject([{ code: 'range' }]);
  });
  it.each<[string, AnswerValue, string[]]>([
    ['of the type, small', { valueAttachment: { contentType: 'application/pdf', size: 10 } }, []],
    ['of another type', { valueAttachment: { contentType: 'image/png', size: 10 } }, ['file-type']],
    ['too large', { valueAttachment: { contentType: 'application/pdf', size: 3_000_000 } }, ['file-size']],
  ])('file %s', (_name, value, codes) => {
    const opened = form([{ type: 'attachment', extension: [{ url: `${H}mimeType`, valueCode: 'application/pdf' }, { url: `${H}maxSize`, valueDecimal: 2 }] }]);
    opened.setAnswer('q0', 0, value);
    expect(opened.view().problems.map(({ code }) => code)).toEqual(codes);
  });
  it('what nobody may edit never stops completion', () => {
    const opened = form([{ type: 'string', required: true, readOnly: true }, { type: 'integer', readOnly: true }], {}, { response: { ...empty, item: [{ linkId: 'q1', answer: [{ valueString: 'no number' }] }] } });
    expect(opened.view().problems).toMatchObject([{ code: 'unfilled', blocking: false }, { code: 'type', blocking: false }]);
    expect(opened.complete().kind).toBe('completed');
  });
  it('a weight goes with its option and leaves with it', () => {
    const opened = form([{ type: 'choice', answerOption: [{ ...coding('a'), extension: [{ url: `${H}ordinalValue`, valueDecimal: 4 }] }, coding('b')] }]);
    opened.setAnswer('q0', 0, coding('a'));
    const weights = (current: Form) => current.response().item?.[0]?.answer?.[0]?.extension?.filter(({ url }) => url === `${H}ordinalValue`).map(({ valueDecimal }) => valueDecimal);
    expect(weights(opened)).toEqual([4]);
    const again = form([{ type: 'choice', answerOption: [{ ...coding('a'), extension: [{ url: `${H}ordinalValue`, valueDecimal: 4 }] }, coding('b')] }], {}, { response: opened.response() });
    expect(weights(again)).toEqual([4]);
    again.setAnswer('q0', 0, coding('b'));
    expect(weights(again)).toEqual([]);
  });
});

describe('signature', () => {
  const required = { url: `${H}questionnaire-signatureRequired`, valueCodeableConcept: { coding: [{ system: 'urn:iso-astm:E1762-95:2013', code: '1.2.840.10065.1.12.1.5', display: 'Verification Signature' }] } };
  it('of the form: asked for, given, and gone with the next change', () => {
    const opened = form([{ type: 'string' }], { extension: [required] });
    opened.setAnswer('q0', 0, { valueString: 'x' });
    expect(opened.gaps()).toEqual([{ signature: true, path: '', linkId: '', label: 'Form' }]);
    expect(opened.complete().kind).toBe('incomplete');
    opened.sign('', { name: 'Zoë Me', statement: 'True.' });
    expect(opened.view().signature).toEqual({ required: true, kind: 'Verification Signature', signed: { name: 'Zoë Me', when: now() } });
    const [signature] = opened.response().extension ?? [];
    expect(signature).toMatchObject({ url: `${H}questionnaireresponse-signature`, valueSignature: { when: now(), who: { reference: 'Practitioner/me', display: 'Zoë Me' }, type: [required.valueCodeableConcept.coding[0]], sigFormat: 'text/plain', targetFormat: 'application/fhir+json' } });
    expect(Buffer.from(signature?.valueSignature?.data ?? '', 'base64').toString('utf8')).toBe('True.\nZoë Me');
    expect(opened.complete().kind).toBe('completed');
    expect(form([{ type: 'string' }], { extension: [required] }, { response: opened.response() }).view().signature?.signed?.name).toBe('Zoë Me');
    opened.setAnswer('q0', 0, { valueString: 'y' });
    expect(opened.view().signature?.signed).toBeUndefined();
  });
  it('of an adaptive form: offered, and no step waits for it', () => {
    const opened = form([{ type: 'string' }], { extension: [required, { url: `${S}questionnaireAdaptive`, valueUrl: 'https://payer.example/fhir' }] });
    expect(opened.view()).toMatchObject({ gaps: [], signature: { required: true } });
  });
  it('of a question: written at its item', () => {
    const opened = form([{ type: 'string', extension: [required] }, { type: 'string' }]);
    opened.setAnswer('q0', 0, { valueString: 'x' });
    expect(opened.gaps()).toMatchObject([{ signature: true, path: 'q0' }]);
    opened.sign('q0', { name: 'Me', statement: 'True.' });
    opened.setAnswer('q1', 0, { valueString: 'other' });
    expect(opened.complete()).toMatchObject({ kind: 'completed', response: { item: [{ linkId: 'q0', extension: [{ url: `${H}questionnaireresponse-signature` }] }, { linkId: 'q1' }] } });
    opened.unsign('q0');
    expect(opened.gaps()).toHaveLength(1);
  });
});

describe('origin', () => {
  it('the author of a change is written with name and role', () => {
    const opened = form([{ type: 'string' }]);
    opened.setAnswer('q0', 0, { valueString: 'x' });
    expect(opened.response().item?.[0]?.answer?.[0]?.extension?.[0]?.extension).toEqual([{ url: 'source', valueCode: 'manual' }, { url: 'author', extension: [{ url: 'role', valueCodeableConcept: { coding: [{ system: 'http://nucc.org/provider-taxonomy', code: '207R00000X' }] } }, { url: 'practitioner', valueReference: { reference: 'Practitioner/me', display: 'Dr Me' } }] }]);
  });
  it('“clear my change” puts back what the record filled in', () => {
    const populated: QuestionnaireResponse = { ...empty, item: [{ linkId: 'q0', answer: [{ valueString: 'record' }] }] };
    const opened = form([{ type: 'string' }, { type: 'string' }], {}, { response: populated, populated });
    expect(opened.items()[0]?.restorable).toBeUndefined();
    opened.setAnswer('q0', 0, { valueString: 'mine' });
    expect(opened.items()[0]).toMatchObject({ restorable: true, answers: [{ origin: 'override' }] });
    opened.restore('q0');
    expect(opened.items()[0]?.answers).toMatchObject([{ value: { valueString: 'record' }, origin: 'auto' }]);
    opened.clear('q0');
    opened.restore('q0');
    expect(opened.response().item?.[0]?.extension).toBeUndefined();
    expect(() => opened.restore('q1')).toThrow(RangeError);
  });
});

describe('completed responses are valid to DTR 2.0.1', () => {
  const validator = openValidator(['dtr-2.0.1', 'us-core-3.1.1']);
  const forms = join(import.meta.dirname, '..', '..', 'payer', 'questionnaires', 'forms');
  const cases = join(import.meta.dirname, '..', '..', '..', 'shared', 'cases', 'dtr');
  const everyElement = JSON.parse(readFileSync(join(forms, 'every-element.json'), 'utf8')) as Questionnaire;
  const published = existsSync(cases) ? questionnairesIn(JSON.parse(readFileSync(join(cases, 'questionnaire_package_output_params_conformant.json'), 'utf8'))) : [];
  if (published.length === 0) console.log('left out: the published packages of ../shared/cases/dtr are not here');

  it.each([['every-element', everyElement] as const, ...published.map((one) => [one.id ?? one.name ?? '', one] as const)])('%s', (_name, questionnaire) => {
    const draft = draftResponse({ questionnaire, patient: 'Patient/p', coverage: 'Coverage/c', order: 'DeviceRequest/o', purposes: ['withpa'], author, authored: now() });
    const foreign = { url: 'http://payer.example/unknown', valueString: 'stays' };
    const opened = openForm({ questionnaire, response: { ...draft, extension: [...(draft.extension ?? []), foreign] }, author, today: '2026-11-22', now, evaluate });
    for (let round = 0; round < 4; round += 1) {
      for (const { path, type } of opened.items()) {
        const current = opened.items().find((one) => one.path === path);
        if (!current || type === 'group' || type === 'display' || current.readOnly || (current.answers.length > 0 && current.problems.length === 0)) continue;
        const value = possibleAnswer(current);
        if (value) opened.setAnswer(path, 0, value);
      }
    }
    for (const { path, signature } of opened.items()) if (signature?.required) opened.sign(path, { name: 'Me', statement: 'True.' });
    if (opened.view().signature?.required) opened.sign('', { name: 'Me', statement: 'True.' });
    const completion = opened.complete();
    if (completion.kind === 'incomplete') throw new Error(JSON.stringify([completion.gaps, completion.problems]));
    expect(completion.response.extension).toContainEqual(foreign);
    const report = validator.validate(completion.response);
    expect(report.issues.filter(({ severity }) => severity === 'error')).toEqual([]);
    expect(JSON.stringify(openForm({ questionnaire, response: completion.response, author, today: '2026-11-22', evaluate }).response().item)).toBe(JSON.stringify(completion.response.item));
  });
});

function questionnairesIn(node: unknown): Questionnaire[] {
  if (Array.isArray(node)) return node.flatMap(questionnairesIn);
  if (typeof node !== 'object' || node === null) return [];
  return 'resourceType' in node && node.resourceType === 'Questionnaire' ? [node as Questionnaire] : Object.values(node).flatMap(questionnairesIn);
}

/** An answer that the question allows. */
function possibleAnswer({ type, options, units, constraints, referenceTypes }: ShownItem): AnswerValue | undefined {
  const number = typeof constraints.min === 'number' ? constraints.min + 1 : 3;
  const option = options[0]?.value;
  switch (type) {
    case 'boolean': return { valueBoolean: true };
    case 'integer': return { valueInteger: Math.ceil(number) };
    case 'decimal': return { valueDecimal: number };
    case 'date': return { valueDate: '2026-11-01' };
    case 'dateTime': return { valueDateTime: '2026-11-01T10:00:00Z' };
    case 'time': return { valueTime: '10:00:00' };
    case 'url': return { valueUri: 'https://clinic.example' };
    case 'choice': return option ?? { valueCoding: { system: 'urn:s', code: 'x', display: 'x' } };
    case 'open-choice': return option ?? { valueString: 'own words' };
    case 'quantity': return { valueQuantity: { value: number, ...(units[0] ? { unit: units[0].label, code: units[0].code, ...(units[0].system ? { system: units[0].system } : {}) } : { unit: 'kg' }) } };
    case 'reference': return { valueReference: { reference: `${referenceTypes[0] ?? 'Observation'}/1` } };
    case 'attachment': return { valueAttachment: { contentType: constraints.mimeTypes?.[0] ?? 'text/plain', title: 'file', data: 'eA==' } };
    case 'group':
    case 'display': return undefined;
    default: return { valueString: ['Some words', 'A123', 'A1B 2C3'].find((text) => constraints.regex === undefined || new RegExp(`^(?:${constraints.regex})$`).test(text)) ?? '' };
  }
}
