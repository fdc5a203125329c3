import type { Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import fc from 'fast-check';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';
import { expect, it } from 'vitest';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import type { AnswerValue, EvaluateFhirPath, Form, ShownItem } from './form.ts';
import { openForm } from './open-form.ts';

/* What the screen shows is what is saved, for forms and hands of every kind: random legal questionnaires, filled in any order. */

const H = 'http://hl7.org/fhir/StructureDefinition/';
const S = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
const compiled = new Map<string, (context: unknown, variables: object) => unknown>();
const evaluate: EvaluateFhirPath = (expression, context, variables) => {
  const run = compiled.get(expression) ?? (fhirpath.compile(expression, r4, { async: false }) as (context: unknown, variables: object) => unknown);
  compiled.set(expression, run);
  return run(context, { ...variables }) as unknown[];
};
const fhirPath = (url: string, expression: string) => ({ url, valueExpression: { language: 'text/fhirpath' as const, expression } });

/** What decides one item; numbers are taken modulo what there is. */
const itemPlan = fc.record({
  kind: fc.constantFrom('boolean', 'integer', 'decimal', 'string', 'date', 'choice', 'open-choice', 'quantity', 'group', 'display' as const),
  repeats: fc.boolean(), depth: fc.nat(2), required: fc.boolean(), initial: fc.boolean(), exclusive: fc.boolean(),
  rule: fc.constantFrom('none', 'none', 'when', 'when-any', 'when-expression', 'calculated', 'toggle', 'required-expression' as const),
  of: fc.nat(), operator: fc.constantFrom('exists', 'not-exists', '=', '!='),
});
type Plan = typeof itemPlan extends fc.Arbitrary<infer T> ? T : never;

const coding = (code: string) => ({ valueCoding: { system: 'urn:test', code, display: code.toUpperCase() } });

/** Rules look back only, at questions before them: a form that turns in circles has no one answer. */
function questionnaireOf(plans: readonly Plan[]): Questionnaire {
  const root: QuestionnaireItem[] = [];
  const open: QuestionnaireItem[] = [];
  const before: QuestionnaireItem[] = [];
  for (const [index, plan] of plans.entries()) {
    const item: QuestionnaireItem = { linkId: `${plan.kind}.${index}/x[${index % 3}]`, type: plan.kind, text: `Item ${index}`, required: plan.required && plan.kind !== 'display', repeats: plan.repeats && !['boolean', 'display'].includes(plan.kind) };
    const earlier = before.length > 0 ? before[plan.of % before.length] : undefined;
    const answers = (linkId: string | undefined) => `%resource.descendants().where(linkId = '${linkId}').answer`;
    if (plan.kind === 'choice' || plan.kind === 'open-choice') {
      item.answerOption = ['a', 'b', 'c'].map((code) => ({ ...coding(code), ...(code === 'c' && plan.exclusive ? { extension: [{ url: `${H}questionnaire-optionExclusive`, valueBoolean: true }] } : {}), ...(code === 'b' ? { extension: [{ url: `${H}ordinalValue`, valueDecimal: 2 }] } : {}) }));
      if (plan.rule === 'toggle' && earlier) item.extension = [{ url: `${S}answerOptionsToggleExpression`, extension: [{ url: 'option', ...coding('a') }, fhirPath('expression', `${answers(earlier.linkId)}.exists()`)] }];
    }
    if (plan.initial && plan.kind === 'integer') item.initial = [{ valueInteger: 7 }];
    if (earlier) {
      const exists = { question: earlier.linkId, operator: 'exists' as const, answerBoolean: plan.operator !== 'not-exists' };
      const compare = earlier.type === 'boolean' && (plan.operator === '=' || plan.operator === '!=') ? { question: earlier.linkId, operator: plan.operator, answerBoolean: true } : exists;
      if (plan.rule === 'when') item.enableWhen = [compare];
      if (plan.rule === 'when-any') Object.assign(item, { enableWhen: [compare, exists], enableBehavior: 'any' });
      if (plan.rule === 'when-expression') item.extension = [fhirPath(`${S}enableWhenExpression`, `${answers(earlier.linkId)}.count() > 1`)];
      if (plan.rule === 'calculated' && plan.kind === 'integer') item.extension = [fhirPath(`${S}calculatedExpression`, `${answers(earlier.linkId)}.count()`)];
      if (plan.rule === 'required-expression') Object.assign(item, { _required: { extension: [fhirPath(`${H}cqf-expression`, `${answers(earlier.linkId)}.exists()`)] } });
    }
    const parent = open.slice(0, plan.depth).at(-1);
    if (parent) (parent.item ??= []).push(item);
    else root.push(item);
    open.splice(plan.depth);
    if (plan.kind !== 'display' && open.length < 2) open.push(item);
    if (plan.kind !== 'display' && plan.kind !== 'group') before.push(item);
  }
  return { resourceType: 'Questionnaire', status: 'active', title: 'Random', item: withoutEmptyGroups(root) };
}

function withoutEmptyGroups(items: readonly QuestionnaireItem[]): QuestionnaireItem[] {
  return items.flatMap((item) => {
    const inner = withoutEmptyGroups(item.item ?? []);
    if (item.type === 'group' && inner.length === 0) return [];
    return [{ ...item, ...(inner.length > 0 ? { item: inner } : {}) }];
  });
}

function answerFor({ type, options }: ShownItem, number: number): AnswerValue {
  switch (type) {
    case 'boolean': return { valueBoolean: number % 2 === 0 };
    case 'integer': return { valueInteger: number };
    case 'decimal': return { valueDecimal: number / 4 };
    case 'date': return { valueDate: `2026-0${1 + (number % 9)}-1${number % 10}` };
    case 'quantity': return { valueQuantity: { value: number, unit: 'kg', system: 'http://unitsofmeasure.org', code: 'kg' } };
    case 'choice': return options[number % Math.max(1, options.length)]?.value ?? coding('a');
    case 'open-choice': return number % 2 === 0 ? (options[number % Math.max(1, options.length)]?.value ?? { valueString: 'own' }) : { valueString: `own ${number}` };
    default: return { valueString: `text ${number}` };
  }
}

const edits = fc.array(fc.record({ at: fc.nat(), how: fc.nat(9), number: fc.nat(40) }), { maxLength: 25 });

const flatShown = (shown: readonly ShownItem[]): unknown[] => shown.flatMap((item): unknown[] => [
  ...item.answers.flatMap((answer): unknown[] => [[item.linkId, answer.value, answer.origin, answer.author?.reference], ...flatShown(answer.items)]), ...flatShown(item.items),
]);
const flatSaved = (list: readonly QuestionnaireResponseItem[] = []): unknown[] => list.flatMap((item): unknown[] => [
  ...(item.answer ?? []).flatMap((answer): unknown[] => {
    const { item: inner, extension, ...value } = answer;
    const parts = extension?.find(({ url }) => url === DTR_URLS.informationOrigin)?.extension;
    const author = parts?.find(({ url }) => url === 'author')?.extension?.find(({ url }) => url === 'practitioner')?.valueReference?.reference;
    return [[item.linkId, value, parts?.find(({ url }) => url === 'source')?.valueCode, author], ...flatSaved(inner)];
  }), ...flatSaved(item.item),
]);

it('random legal forms, random hands', () => {
  let asked = 0;
  fc.assert(fc.property(fc.array(itemPlan, { minLength: 2, maxLength: 12 }), edits, (plans, hands) => {
    const questionnaire = questionnaireOf(plans);
    const open = (response: QuestionnaireResponse): Form => openForm({ questionnaire, response, author: { reference: 'Practitioner/me' }, today: '2026-11-22', evaluate });
    let form = open({ resourceType: 'QuestionnaireResponse', status: 'in-progress' });
    for (const { at, how, number } of hands) {
      const visible = form.items().filter(({ type }) => type !== 'display');
      const item = visible[at % Math.max(1, visible.length)];
      if (!item) continue;
      if (item.type === 'group') {
        if (item.instance && how % 2 === 0 && item.instance.count < 3) form.addGroup(item.path);
        else if (how > 6) form.removeGroup(item.path);
      } else if (how <= 4) form.setAnswer(item.path, 0, answerFor(item, number));
      else if (how <= 6 && item.repeats && item.answers.length < 4) form.addAnswer(item.path, answerFor(item, number));
      else if (how === 7) form.removeAnswer(item.path, 0);
      else if (how === 8) form.clear(item.path);
      else form = open(form.response());
    }
    const { items, problems } = form.view();
    const saved = form.response();
    asked += items.length;
    expect(problems.filter(({ code }) => code === 'expression' || code === 'oscillation')).toEqual([]);
    expect(flatSaved(saved.item)).toEqual(flatShown(items));
    const again = open(saved);
    expect(again.view().items).toEqual(items);
    expect(again.response().item).toEqual(saved.item);
  }), { numRuns: 400 });
  expect(asked).toBeGreaterThan(400);
}, 30_000);
