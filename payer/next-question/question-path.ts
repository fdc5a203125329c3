import { isDeepStrictEqual } from 'node:util';
import type { QuestionnaireItem } from '@medplum/fhirtypes';
import type { AdaptiveForm, AdaptiveStep } from '../questionnaires/adaptive-form.ts';
import { type AnswerValues, holds, valueOf } from './adaptive-expression.ts';

/** The questions of these steps as one form: a step's items at the end, or at the end of the group it names. */
export function itemsOf(path: readonly AdaptiveStep[]): readonly QuestionnaireItem[] {
  return path.reduce<readonly QuestionnaireItem[]>((items, step) => (step.into === undefined ? [...items, ...step.items] : items.map((item) => appendInto(item, step.into ?? '', step.items))), []);
}

function appendInto(item: QuestionnaireItem, group: string, added: readonly QuestionnaireItem[]): QuestionnaireItem {
  if (item.linkId === group) return { ...item, item: [...(item.item ?? []), ...added] };
  return item.item ? { ...item, item: item.item.map((inner) => appendInto(inner, group, added)) } : item;
}

/** The steps whose questions these are, of any way through the form; undefined when there is none. */
export function stepsOf(form: AdaptiveForm, items: readonly QuestionnaireItem[]): readonly AdaptiveStep[] | undefined {
  if (items.length === 0) return [];
  const search = (path: readonly AdaptiveStep[]): readonly AdaptiveStep[] | undefined => {
    if (isDeepStrictEqual(itemsOf(path), items)) return path;
    for (const way of path.at(-1)?.next ?? []) {
      const found = 'to' in way ? search([...path, stepOf(form, way.to)]) : undefined;
      if (found) return found;
    }
    return undefined;
  };
  return search([stepOf(form, form.start)]);
}

export interface Walked {
  /** Steps asked already that the answers still lead through. */
  readonly kept: readonly AdaptiveStep[];
  /** linkId to what the payer fills in itself, of these steps and of the one that is asked next. */
  readonly values: AnswerValues;
  readonly goal: { readonly kind: 'ask'; readonly step: AdaptiveStep } | { readonly kind: 'determine'; readonly determination: string };
}

/** Follows the answers from the start, as far as questions were asked. Where an answer has changed and leads elsewhere, the rest of the old way is left out. */
export function walk(form: AdaptiveForm, asked: readonly AdaptiveStep[], answers: AnswerValues): Walked {
  const given: Record<string, readonly unknown[]> = Object.fromEntries(linkIdsOf(form.steps.flatMap(({ items }) => items)).map((linkId) => [linkId, []]));
  const values: Record<string, readonly unknown[]> = {};
  const kept: AdaptiveStep[] = [];
  for (let step = stepOf(form, form.start); ; ) {
    const isAsked = asked[kept.length] === step;
    if (isAsked) for (const linkId of linkIdsOf(step.items)) given[linkId] = answers[linkId] ?? [];
    for (const [linkId, expression] of Object.entries(step.values)) {
      values[linkId] = valueOf(expression, given);
      given[linkId] = values[linkId];
    }
    if (!isAsked) return { kept, values, goal: { kind: 'ask', step } };
    kept.push(step);
    const way = step.next.find(({ when }) => when === undefined || holds(when, given));
    if (!way) throw new Error(`No way leads out of the step ${step.id}`);
    if ('determine' in way) return { kept, values, goal: { kind: 'determine', determination: way.determine } };
    step = stepOf(form, way.to);
  }
}

function stepOf(form: AdaptiveForm, id: string): AdaptiveStep {
  const found = form.steps.find((step) => step.id === id);
  if (!found) throw new Error(`The form has no step ${id}`);
  return found;
}

export function linkIdsOf(items: readonly QuestionnaireItem[]): string[] {
  return items.flatMap((item) => [item.linkId, ...linkIdsOf(item.item ?? [])]);
}
