import type { Questionnaire, QuestionnaireItem } from '@medplum/fhirtypes';

/** Elements of an item that a payer may compute (cqf-expression); `required` and the like then have the computed value. */
export const COMPUTED_ELEMENTS = ['text', 'required', 'repeats', 'readOnly', 'answerValueSet'] as const;
export type ComputedElement = (typeof COMPUTED_ELEMENTS)[number];
export type ComputedElements = { readonly text?: string; readonly required?: boolean; readonly repeats?: boolean; readonly readOnly?: boolean; readonly answerValueSet?: string };

/** Undefined when the result is no value of that element. */
export function computedElement(element: ComputedElement, result: unknown): ComputedElements | undefined {
  const wanted = element === 'text' || element === 'answerValueSet' ? 'string' : 'boolean';
  return typeof result === wanted ? { [element]: result } : undefined;
}

/** The questionnaire with computed elements in place of the payer's fixed ones. The expressions stay, for the next time. */
export function withComputedElements(questionnaire: Questionnaire, elements: Readonly<Record<string, ComputedElements>>): Questionnaire {
  if (Object.keys(elements).length === 0) return questionnaire;
  const compute = (item: QuestionnaireItem): QuestionnaireItem => ({
    ...item,
    ...(item.linkId ? elements[item.linkId] : undefined),
    ...(item.item ? { item: item.item.map(compute) } : {}),
  });
  return { ...questionnaire, ...(questionnaire.item ? { item: questionnaire.item.map(compute) } : {}) };
}
