import type { ClaimResponse, ClaimResponseAddItem, ClaimResponseItem, Coding, Extension, Quantity, Reference, Resource } from '@medplum/fhirtypes';
import { extensionByUrl, extensionsByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import type { AuthorizedDetail, ItemDecision, Period } from './decision.ts';

type AnsweredItem = ClaimResponseItem | ClaimResponseAddItem;

/** X12 306 codes that PAS makes public. Every other code is a code we do not know, and is never read as an approval. */
const REVIEW_ACTIONS = { A1: 'approved', A3: 'denied', A4: 'pended', A6: 'modified' } as const;

/** A ClaimResponse with what came beside it. */
export interface AnswerParts {
  readonly response: ClaimResponse;
  /** The other resources of the same bundle. */
  readonly others: readonly Resource[];
  /** Name of the provider that a reference leads to. */
  readonly nameOf: (reference: Reference | undefined) => string | undefined;
}

/** One item's decision, from all that the response says of that sequence. */
export function decideItem(sequence: number, { response, others, nameOf }: AnswerParts, pasVersion: '2.0.1' | '2.2.1'): ItemDecision {
  const items = listOf(response.item).filter(({ itemSequence }) => itemSequence === sequence);
  const addItems = listOf(response.addItem).filter(({ itemSequence }) => Array.isArray(itemSequence) && itemSequence.includes(sequence));
  // An addItem of a requested sequence only details that item (A6); alone, it is what the payer says.
  const speakers: readonly AnsweredItem[] = items.length > 0 ? items : addItems;
  const explanation = explanationsOf(speakers, response, others, sequence);
  if (speakers.length === 0) return { kind: 'unreadable', why: 'item-missing', explanation };

  const actions = speakers.flatMap(({ adjudication }) => listOf(adjudication).flatMap((entry) => extensionsByUrl(entry, PAS_EXTENSIONS.reviewAction)));
  const codes = [...new Set(actions.flatMap(reviewActionCodes))];
  const [code] = codes;
  if (code === undefined) return { kind: 'unreadable', why: 'no-review-action', explanation };
  const action = codes.length === 1 && Object.hasOwn(REVIEW_ACTIONS, code) ? REVIEW_ACTIONS[code as keyof typeof REVIEW_ACTIONS] : undefined;
  if (action === undefined) return { kind: 'unreadable', why: 'unknown-review-action', reviewActionCode: codes.join(','), explanation };

  switch (action) {
    case 'approved':
    case 'modified': {
      const authorizationNumber = actions.map((entry) => extensionByUrl(entry, 'number')?.valueString?.trim()).find(Boolean) ?? extensionByUrl(response, PAS_EXTENSIONS.authorizationNumber)?.valueString?.trim() ?? response.preAuthRef;
      const validity = validityOf(speakers, response);
      const authorized = authorizedOf(items, addItems, pasVersion);
      const providers = providersOf([...items, ...addItems, response], nameOf);
      const granted = { ...(providers.length > 0 ? { providers } : {}), ...(authorizationNumber ? { authorizationNumber } : {}), ...(validity ? { validity } : {}), ...(authorized ? { authorized } : {}) };
      return action === 'approved' ? { kind: 'approved', ...granted } : { kind: 'modified', ...granted, explanation };
    }
    case 'denied':
      return { kind: 'denied', reasonCodes: actions.flatMap(reasonCodes), explanation };
    case 'pended': {
      const administrativeReference = [...speakers, response].map((of) => extensionByUrl(of, PAS_EXTENSIONS.administrationReferenceNumber)?.valueString?.trim()).find(Boolean);
      return { kind: 'pended', ...(administrativeReference ? { administrativeReference } : {}), explanation };
    }
  }
}

/** Codes of X12 306 only: an `A1` of another system, or of none, means something else. Some payers write the short url. */
function reviewActionCodes(action: Extension): string[] {
  const coded = [PAS_EXTENSIONS.reviewActionCode, 'reviewActionCode', 'code'].flatMap((url) => extensionsByUrl(action, url));
  return coded.flatMap(({ valueCodeableConcept }) => listOf(valueCodeableConcept?.coding).flatMap((coding) => (isReviewActionCoding(coding) ? [coding.code?.trim() ?? ''] : []))).filter((code) => code !== '');
}

function isReviewActionCoding({ system }: Coding): boolean {
  return typeof system === 'string' && /^https?:\/\/(codesystem|valueset)\.x12\.org\/.*\/306$/.test(system.trim());
}

function reasonCodes(action: Extension): string[] {
  return extensionsByUrl(action, 'reasonCode').flatMap(({ valueCodeableConcept }) => {
    const codes = listOf(valueCodeableConcept?.coding).flatMap(({ code }) => code?.trim() || []);
    return codes.length > 0 ? codes : valueCodeableConcept?.text ? [valueCodeableConcept.text] : [];
  });
}

/** In the payer's words: process notes the item names, or all when none is named by any item; texts of reason codes; what a communication request asks; the disposition when nothing else is said. */
function explanationsOf(speakers: readonly AnsweredItem[], response: ClaimResponse, others: readonly Resource[], sequence: number): string[] {
  const notes = listOf(response.processNote);
  const noteNumbers = (item: AnsweredItem): number[] => [...listOf(item.noteNumber), ...listOf(item.adjudication).flatMap((entry) => listOf((entry as { readonly noteNumber?: number[] }).noteNumber))];
  const isAnyNamed = [...listOf(response.item), ...listOf(response.addItem)].some((item) => noteNumbers(item).length > 0);
  const wanted = new Set(speakers.flatMap(noteNumbers));
  const noteTexts = notes.flatMap(({ number, text }) => (!isAnyNamed || (number !== undefined && wanted.has(number)) ? [text] : []));
  const reasonTexts = speakers.flatMap(({ adjudication }) =>
    listOf(adjudication)
      .flatMap((entry) => extensionsByUrl(entry, PAS_EXTENSIONS.reviewAction))
      .flatMap((action) => extensionsByUrl(action, 'reasonCode'))
      .map(({ valueCodeableConcept }) => valueCodeableConcept?.text ?? valueCodeableConcept?.coding?.[0]?.display),
  );
  const asked = others.flatMap((resource) =>
    resource.resourceType === 'CommunicationRequest'
      ? listOf(resource.payload).flatMap((payload) => {
          const line = extensionByUrl(payload, PAS_EXTENSIONS.serviceLineNumber)?.valuePositiveInt ?? extensionByUrl(resource, PAS_EXTENSIONS.serviceLineNumber)?.valuePositiveInt;
          return line === undefined || line === sequence ? [payload.contentString] : [];
        })
      : [],
  );
  const said = [...new Set([...noteTexts, ...reasonTexts, ...asked].filter((text): text is string => typeof text === 'string' && text.trim() !== '').map((text) => text.trim()))];
  return said.length > 0 || !response.disposition ? said : [response.disposition];
}

/** The item's own period before that of the whole response. */
function validityOf(speakers: readonly AnsweredItem[], response: ClaimResponse): Period | undefined {
  const period = speakers.map((item) => extensionByUrl(item, PAS_EXTENSIONS.itemPreAuthPeriod)?.valuePeriod).find(Boolean) ?? response.preAuthPeriod;
  return period && { ...(period.start ? { start: period.start } : {}), ...(period.end ? { end: period.end } : {}) };
}

/** 2.0.1: `itemAuthorizedDetail` on the item. 2.2.1: there it restates the request, and the addItem of the same sequence says what is authorized. An addItem is believed in both. */
function authorizedOf(items: readonly ClaimResponseItem[], addItems: readonly ClaimResponseAddItem[], pasVersion: '2.0.1' | '2.2.1'): AuthorizedDetail | undefined {
  const [addItem] = addItems;
  const detail = (of: AnsweredItem | undefined): Extension | undefined => extensionByUrl(of, PAS_EXTENSIONS.itemAuthorizedDetail);
  const source = detail(addItem) ?? (addItem ? undefined : pasVersion === '2.0.1' ? items.map(detail).find(Boolean) : undefined);
  const quantity = extensionByUrl(source, 'quantity')?.valueQuantity ?? addItem?.quantity;
  const coding = extensionByUrl(source, 'productOrServiceCode')?.valueCodeableConcept?.coding?.[0] ?? addItem?.productOrService?.coding?.[0];
  const price = extensionByUrl(source, 'unitPrice')?.valueMoney ?? addItem?.unitPrice;
  const authorized: AuthorizedDetail = { ...(typeof price?.value === 'number' ? { unitPrice: { value: price.value, ...(price.currency ? { currency: price.currency } : {}) } } : {}), ...quantityOf(quantity), ...(coding?.system && coding.code ? { code: { system: coding.system, code: coding.code } } : {}) };
  return Object.keys(authorized).length > 0 ? authorized : undefined;
}

/** Those who may do it, where the payer restricts it: of the item, else of the whole response. */
function providersOf(of: readonly (AnsweredItem | ClaimResponse)[], nameOf: AnswerParts['nameOf']): string[] {
  const named = of.map((each) => extensionsByUrl(each, PAS_EXTENSIONS.itemAuthorizedProvider)).find((found) => found.length > 0) ?? [];
  return [...new Set(named.flatMap((extension) => nameOf(extensionByUrl(extension, 'provider')?.valueReference) ?? []))];
}

function quantityOf(quantity: Quantity | undefined): Pick<AuthorizedDetail, 'quantity'> {
  if (typeof quantity?.value !== 'number') return {};
  const unit = quantity.unit ?? quantity.code;
  return { quantity: { value: quantity.value, ...(unit ? { unit } : {}) } };
}

/** The payer's JSON is not ours to trust: what should be a list may be anything. */
export function listOf<T>(value: readonly T[] | undefined): readonly T[] {
  return Array.isArray(value) ? (value as readonly T[]).filter((entry) => entry !== null && entry !== undefined) : [];
}
