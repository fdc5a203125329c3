import { valueOf, pickValue } from './answer-value.ts';
import type { QuestionnaireResponseItem } from '@medplum/fhirtypes';

/** FHIRPath functions of SDC that the FHIRPath engine lacks (it has sum, min, max, avg, ordinal and weight), as its table of invocations. */
export const sdcFunctions = {
  /** answers(): the values of all answers at and below the given response or items, in order. */
  answers: { fn: (given: readonly unknown[]): unknown[] => given.flatMap(answersOf), arity: { 0: [] } },
};

function answersOf(node: unknown): unknown[] {
  if (typeof node !== 'object' || node === null) return [];
  const { item = [], answer = [] }: Pick<QuestionnaireResponseItem, 'item' | 'answer'> = node;
  return [...answer.flatMap((one) => [valueOf(pickValue(one)), ...(one.item ?? []).flatMap(answersOf)]), ...item.flatMap(answersOf)].filter((value) => value !== undefined);
}
