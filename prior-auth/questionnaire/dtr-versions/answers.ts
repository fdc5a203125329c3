import type { Extension, QuestionnaireResponseItem, QuestionnaireResponseItemAnswer } from '@medplum/fhirtypes';
import { extensionByUrl, withExtensions } from '#fhir/base/extension.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';

/** Every answer, nested ones included, put through `change`. */
export function mapAnswers(items: readonly QuestionnaireResponseItem[] | undefined, change: (answer: QuestionnaireResponseItemAnswer) => QuestionnaireResponseItemAnswer): QuestionnaireResponseItem[] | undefined {
  return items?.map((item) => ({
    ...item,
    ...(item.answer ? { answer: item.answer.map((answer) => change(answer.item ? { ...answer, item: mapAnswers(answer.item, change) ?? [] } : answer)) } : {}),
    ...(item.item ? { item: mapAnswers(item.item, change) ?? [] } : {}),
  }));
}

export function originCode(answer: QuestionnaireResponseItemAnswer): string | undefined {
  return extensionByUrl(extensionByUrl(answer, DTR_URLS.informationOrigin), 'source')?.valueCode;
}

/** The same answer with another origin code; an author stands where it stood. */
export function withOriginCode(answer: QuestionnaireResponseItemAnswer, code: string): QuestionnaireResponseItemAnswer {
  const present = extensionByUrl(answer, DTR_URLS.informationOrigin);
  const origin: Extension = { ...present, url: DTR_URLS.informationOrigin, extension: [{ url: 'source', valueCode: code }, ...(present?.extension ?? []).filter(({ url }) => url !== 'source')] };
  return { ...answer, extension: withExtensions(answer, DTR_URLS.informationOrigin, [origin]) };
}
