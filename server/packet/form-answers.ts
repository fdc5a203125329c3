import type { Questionnaire, QuestionnaireItem, QuestionnaireResponse, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';
import { readInformationOrigin } from '#fhir/dtr/information-origin.ts';
import type { PacketAnswer } from '#prior-auth/packet.ts';
import { valueOf } from '#prior-auth/questionnaire/answer-value.ts';

/** Every answer of a response with where it came from, in the order of the form. `names` of persons by reference. */
export function answersOf(questionnaire: Questionnaire, response: QuestionnaireResponse, names: ReadonlyMap<string, string>): PacketAnswer[] {
  const labels = new Map<string, QuestionnaireItem>();
  const learn = (items: readonly QuestionnaireItem[]): void => items.forEach((item) => {
    labels.set(item.linkId, item);
    learn(item.item ?? []);
  });
  learn(questionnaire.item ?? []);

  const walk = (items: readonly QuestionnaireResponseItem[], depth: number): PacketAnswer[] => items.flatMap((item) => {
    const definition = labels.get(item.linkId);
    const question = [definition?.prefix, item.text ?? definition?.text ?? item.linkId].filter(Boolean).join(' ');
    const answers = item.answer ?? [];
    const below = [...(item.item ?? []), ...answers.flatMap((answer) => answer.item ?? [])];
    const isGroup = answers.length === 0;
    const inside = walk(below, depth + 1);
    if (isGroup && inside.length === 0) return [];
    return [{ question, depth, isGroup, values: answers.map((answer) => ({ value: textOf(answer), origin: originOf(answer, names) })) }, ...inside];
  });
  return walk(response.item ?? [], 0);
}

function originOf(answer: QuestionnaireResponseItemAnswer, names: ReadonlyMap<string, string>): string {
  const origin = readInformationOrigin(answer);
  if (origin?.source !== 'manual' && origin?.source !== 'override') return 'From the record';
  const shown = answer.extension?.find(({ url }) => url === DTR_URLS.informationOrigin)?.extension?.find(({ url }) => url === 'author')?.extension?.find(({ url }) => url === 'practitioner')?.valueReference?.display;
  const who = shown ?? names.get(origin.practitioner ?? '') ?? origin.practitioner ?? 'a person';
  return origin.source === 'manual' ? `Entered by ${who}` : `From the record, changed by ${who}`;
}

function textOf(answer: QuestionnaireResponseItemAnswer): string {
  const { valueBoolean, valueCoding, valueQuantity, valueReference, valueAttachment } = answer;
  if (valueBoolean !== undefined) return valueBoolean ? 'Yes' : 'No';
  if (valueCoding) return [valueCoding.display, valueCoding.code && `(${valueCoding.code})`].filter(Boolean).join(' ');
  if (valueQuantity) return [valueQuantity.comparator, valueQuantity.value, valueQuantity.unit ?? valueQuantity.code].filter((part) => part !== undefined).join(' ');
  if (valueReference) return valueReference.display ?? valueReference.reference ?? 'reference';
  if (valueAttachment) return `Attached: ${valueAttachment.title ?? valueAttachment.contentType ?? 'file without a name'}`;
  const value = valueOf(answer);
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}
