import type { Bundle, QuestionnaireResponse, QuestionnaireResponseItem, Resource } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import { DTR_URLS } from '#fhir/dtr/canonical-urls.ts';

/** What the answers refer to and the response does not contain: these and no others travel with it (DTR-QRBundle). */
export function answerReferences({ item }: QuestionnaireResponse): string[] {
  const inItems = (items: readonly QuestionnaireResponseItem[] | undefined): string[] =>
    (items ?? []).flatMap(({ answer, item: inner }) => [...(answer ?? []).flatMap((each) => [relativeReference(each.valueReference?.reference ?? '') ?? [], inItems(each.item)].flat()), ...inItems(inner)]);
  return [...new Set(inItems(item))];
}

/** DTR-QRBundle: the response first, then the resources of `answerReferences`. */
export function writeResponseBundle(response: QuestionnaireResponse, referenced: readonly Resource[], base: string): Bundle {
  const entry = [response, ...referenced].map((resource) => ({ fullUrl: `${base}/${resource.resourceType}/${resource.id}`, resource }));
  return { resourceType: 'Bundle', meta: { profile: [DTR_URLS.responseBundle] }, type: 'collection', entry };
}
