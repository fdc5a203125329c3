import type { Bundle, ClaimResponse, Resource } from '@medplum/fhirtypes';
import { extensionByUrl, extensionsByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import { isFinal } from './deadlines.ts';
import type { DecisionReview, ItemDecision, PayerDecision } from './decision.ts';
import type { InformationRequest } from './information-request.ts';
import { type AnswerParts, decideItem, listOf } from './item-decision.ts';
import { readInformationRequests } from './read-information-requests.ts';

export interface Asked {
  /** Claim.item.sequence of what was asked: an answer that leaves one out is unreadable there. */
  readonly items: readonly { readonly sequence: number; readonly traceNumber: string }[];
  /** Sequences that an update took back: what the payer still says of them is no decision. */
  readonly cancelled?: readonly number[];
  readonly claimIdentifier: string;
  readonly claimFullUrl: string;
  /** ISO instant; stands in for a ClaimResponse without `created`. */
  readonly receivedAt: string;
  /** The version of the endpoint that answered: 2.2.1 gives `itemAuthorizedDetail` on an item another meaning. */
  readonly pasVersion: '2.0.1' | '2.2.1';
  /** An inquiry may bring answers to other requests: only one that names ours is read. */
  readonly mustName: boolean;
}

export type DecisionReading =
  | { readonly kind: 'decision'; readonly decision: PayerDecision; readonly isFinal: boolean; /** What the payer wants before it decides. */ readonly asks: readonly InformationRequest[] }
  /** No ClaimResponse about our request: not an answer, and never an approval. */
  | { readonly kind: 'no-decision'; readonly why: 'not-fhir' | 'no-claim-response' | 'another-request' | 'ambiguous' };

/**
 * The only reader of review actions. Reads a ClaimResponse, a PAS response bundle, or Parameters or a searchset of them (PAS 2.2.1 `$inquire`).
 * `ClaimResponse.outcome` is never looked at: it says whether processing went well, not what was decided.
 */
export function readDecision(answer: unknown, asked: Asked): DecisionReading {
  if (!isResource(answer)) return { kind: 'no-decision', why: 'not-fhir' };
  const found = claimResponsesIn(answer);
  if (found.length === 0) return { kind: 'no-decision', why: 'no-claim-response' };
  const named = found.filter(({ response }) => names(response, asked) === 'ours');
  const unnamed = found.filter(({ response }) => names(response, asked) === 'nobody');
  const candidates = named.length > 0 ? named : !asked.mustName || found.length === 1 ? unnamed : [];
  if (candidates.length === 0) return { kind: 'no-decision', why: 'another-request' };
  if (candidates.length > 1) return { kind: 'no-decision', why: 'ambiguous' };
  const [candidate] = candidates;
  if (!candidate) return { kind: 'no-decision', why: 'no-claim-response' };
  const decision = decisionOf(candidate, asked);
  return { kind: 'decision', decision, isFinal: isFinal(decision), asks: readInformationRequests(candidate.others, asked.items) };
}

function isResource(value: unknown): value is Resource {
  return typeof value === 'object' && value !== null && typeof (value as { resourceType?: unknown }).resourceType === 'string';
}

function claimResponsesIn(resource: Resource): AnswerParts[] {
  switch (resource.resourceType) {
    case 'ClaimResponse':
      return [{ response: resource, others: [], nameOf: ({ display } = {}) => display }];
    case 'Parameters':
      return listOf(resource.parameter).flatMap((parameter) => (isResource(parameter?.resource) ? claimResponsesIn(parameter.resource) : []));
    case 'Bundle': {
      const resources = resourcesOf(resource);
      const direct = resources.flatMap((entry) => (entry.resourceType === 'ClaimResponse' ? [{ response: entry, others: resources, nameOf: namesIn(resource) }] : []));
      return [...direct, ...resources.flatMap((entry) => (entry.resourceType === 'Bundle' ? claimResponsesIn(entry) : []))];
    }
    default:
      return [];
  }
}

/** Payers write the fullUrl, or a relative reference whatever the fullUrl is. */
function namesIn(bundle: Bundle): AnswerParts['nameOf'] {
  const entries = listOf(bundle.entry).filter((entry) => isResource(entry?.resource));
  return (reference) => {
    const literal = typeof reference?.reference === 'string' ? reference.reference : undefined;
    const found = entries.find(({ fullUrl, resource }) => literal !== undefined && (fullUrl === literal || `${resource?.resourceType}/${resource?.id}` === literal))?.resource;
    if (found?.resourceType === 'Organization' && found.name) return found.name;
    const person = found?.resourceType === 'Practitioner' ? listOf(found.name)[0] : undefined;
    return person ? (person.text ?? [...listOf(person.given), person.family].filter(Boolean).join(' ')) : reference?.display;
  };
}

function resourcesOf(bundle: Bundle): Resource[] {
  return listOf(bundle.entry).flatMap((entry) => (isResource(entry?.resource) ? [entry.resource] : []));
}

/** Trace numbers and request identifiers name the request; an echoed reference alone is a hint that foreign servers rewrite. */
function names(response: ClaimResponse, { items, claimIdentifier, claimFullUrl }: Asked): 'ours' | 'another' | 'nobody' {
  const traces = [...listOf(response.item), ...listOf(response.addItem)].flatMap((item) => extensionsByUrl(item, PAS_EXTENSIONS.itemTraceNumber).flatMap(({ valueIdentifier }) => valueIdentifier?.value ?? []));
  const requested = response.request?.identifier?.value;
  if (response.request?.reference === claimFullUrl || requested === claimIdentifier || traces.some((trace) => items.some(({ traceNumber }) => traceNumber === trace))) return 'ours';
  return requested !== undefined || traces.length > 0 ? 'another' : 'nobody';
}

function decisionOf(answer: AnswerParts, asked: Asked): PayerDecision {
  const { response } = answer;
  const items = asked.items.map(({ sequence }) => ({ sequence, decision: decideItem(sequence, answer, asked.pasVersion) }));
  const known = new Set([...asked.items.map(({ sequence }) => sequence), ...(asked.cancelled ?? [])]);
  const added = addedSequences(response).filter((sequence) => !known.has(sequence));
  const all = [...items, ...added.map((sequence) => ({ sequence, decision: decideItem(sequence, answer, asked.pasVersion), addedByPayer: true as const }))];
  const errors = listOf(response.error).map((error) => {
    const code = error.code?.coding?.map((coding) => coding.code).find(Boolean) ?? 'unspecified';
    const text = [error.code?.text, errorPlace(error)].filter(Boolean).join(' ');
    return { code, ...(text ? { text } : {}) };
  });
  const identifier = listOf(response.identifier)[0]?.value;
  const review = reviewOf(response);
  return {
    decidedAt: instantOf(response.created) ?? asked.receivedAt,
    ...(identifier ? { claimResponseIdentifier: identifier } : {}),
    ...(response.preAuthRef ? { preAuthRef: response.preAuthRef } : {}),
    ...(review ? { review } : {}),
    items: all,
    overall: overallOf(
      all.map(({ decision }) => decision),
      errors.length > 0,
      listOf(response.item).length + listOf(response.addItem).length > 0,
    ),
    errors,
  };
}

function reviewOf(response: ClaimResponse): DecisionReview | undefined {
  const said = extensionByUrl(response, PAS_EXTENSIONS.claimResponseReviewer);
  const byHuman = extensionByUrl(said, 'wasHumanReviewedFlag')?.valueBoolean;
  if (typeof byHuman !== 'boolean') return undefined;
  const reviewer = extensionByUrl(said, 'reviewerNPI')?.valueIdentifier?.value;
  const concept = extensionByUrl(said, 'reviewerSpecialty')?.valueCodeableConcept;
  const specialty = concept?.text ?? listOf(concept?.coding).map(({ display, code }) => display ?? code).find(Boolean);
  return { byHuman, ...(reviewer ? { reviewer } : {}), ...(specialty ? { specialty } : {}) };
}

function addedSequences(response: ClaimResponse): number[] {
  const ofAdded = listOf(response.addItem).flatMap(({ itemSequence }) => (Array.isArray(itemSequence) ? itemSequence : []));
  const ofItems = listOf(response.item).map(({ itemSequence }) => itemSequence);
  return [...new Set([...ofItems, ...ofAdded])].filter((sequence): sequence is number => typeof sequence === 'number');
}

/** Where the payer says the error is (2.0.1: a string; 2.2.1: a part of a complex extension). */
function errorPlace(error: NonNullable<ClaimResponse['error']>[number]): string | undefined {
  const element = extensionByUrl(error, PAS_EXTENSIONS.errorElement);
  const place = element?.valueString ?? extensionByUrl(element, 'error')?.valueString ?? extensionByUrl(error, PAS_EXTENSIONS.errorPath)?.valueString;
  return place && `(${place})`;
}

/** Over all items. Anything unreadable makes the whole unreadable; an error beside it keeps an approval from being believed. */
export function overallOf(items: readonly ItemDecision[], hasErrors: boolean, hasAnswers: boolean): PayerDecision['overall'] {
  if (hasErrors && !hasAnswers) return 'error';
  const kinds = new Set(items.map(({ kind }) => kind));
  if (kinds.size === 0 || kinds.has('unreadable')) return 'unreadable';
  if (kinds.has('pended')) return 'pended';
  if (kinds.size === 1 && kinds.has('denied')) return 'denied';
  if (hasErrors) return 'error';
  if (kinds.has('denied')) return 'partly-approved';
  return kinds.has('modified') ? 'modified' : 'approved';
}

function instantOf(created: string | undefined): string | undefined {
  const epochMs = Date.parse(created ?? '');
  return Number.isNaN(epochMs) ? undefined : new Date(epochMs).toISOString();
}
