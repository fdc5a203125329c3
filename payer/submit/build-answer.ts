import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, Claim, ClaimItem, ClaimResponse, ClaimResponseItem, ClaimResponseProcessNote, Extension, Reference, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { extensionsByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { writeReviewAction } from '#fhir/pas/review-action.ts';
import { REVIEW_ACTION } from '../terms.ts';
import { closureOf, entryOf } from './bundle-references.ts';
import { isGranted, type ItemDecision } from './item-decision.ts';
import type { PasRequest } from './read-request.ts';

export interface AnswerInput {
  readonly request: PasRequest;
  readonly caseId: string;
  /** Base of this payer's FHIR API. */
  readonly fhirBase: string;
  readonly epochMs: number;
  /** One decision for each item's sequence. */
  readonly decisions: ReadonlyMap<number, ItemDecision>;
}

/** The PAS 2.0.1 response bundle: the ClaimResponse first, then what it refers to, under the fullUrls of the request. */
export function buildAnswer({ request, caseId, fhirBase, epochMs, decisions }: AnswerInput): Bundle {
  const { bundle, claim, claimUrl } = request;
  const created = new Date(epochMs).toISOString();
  const parties = [claim.patient, claim.insurer, claim.provider].flatMap((reference) => entryOf(bundle, reference?.reference, claimUrl) ?? []);
  const claimResponse = buildClaimResponse({ claim, caseId, created, decisions, refer: (reference) => referTo(bundle, claimUrl, reference), claimUrl });
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { profile: [PAS_PROFILES.responseBundle] },
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` },
    type: 'collection',
    timestamp: created,
    entry: [
      { fullUrl: claimResponseUrl(fhirBase, caseId), resource: claimResponse },
      ...closureOf(bundle, parties).filter(isNotClaim).map(({ fullUrl, resource }): BundleEntry => ({ fullUrl, resource })),
    ],
  };
}

export function claimResponseUrl(fhirBase: string, caseId: string): string {
  return `${fhirBase}/ClaimResponse/${caseId}`;
}

function isNotClaim({ resource }: BundleEntry): boolean {
  return resource?.resourceType !== 'Claim';
}

/** The fullUrl, because the answer has another base than the request and a relative reference would no longer resolve. */
function referTo<T extends Resource>(bundle: Bundle, claimUrl: string, reference: Reference<T> | undefined): Reference<T> {
  const fullUrl = entryOf(bundle, reference?.reference, claimUrl)?.fullUrl ?? reference?.reference;
  return fullUrl === undefined ? {} : { reference: fullUrl };
}

interface ClaimResponseInput {
  readonly claim: Claim;
  readonly claimUrl: string;
  readonly caseId: string;
  readonly created: string;
  readonly decisions: ReadonlyMap<number, ItemDecision>;
  readonly refer: <T extends Resource>(reference: Reference<T> | undefined) => Reference<T>;
}

function buildClaimResponse({ claim, claimUrl, caseId, created, decisions, refer }: ClaimResponseInput): ClaimResponse {
  const standings = [...decisions.values()];
  const granted = standings.find(isGranted);
  const notes: ClaimResponseProcessNote[] = [];
  const item = (claim.item ?? []).flatMap((asked): ClaimResponseItem[] => {
    const decision = decisions.get(asked.sequence ?? 0);
    if (!decision) return [];
    const { note } = decision;
    if (note !== undefined) notes.push({ number: notes.length + 1, type: 'display', text: note });
    return [answerItem(asked, decision, note === undefined ? undefined : notes.length)];
  });
  return {
    resourceType: 'ClaimResponse',
    id: caseId,
    meta: { profile: [PAS_PROFILES.claimResponse] },
    identifier: [...(claim.identifier ?? []), { system: 'https://payer.openpriorauth.org/authorization-case', value: caseId }],
    status: 'active',
    type: claim.type ?? {},
    use: 'preauthorization',
    patient: refer(claim.patient),
    created,
    insurer: refer(claim.insurer),
    requestor: refer(claim.provider),
    request: { reference: claimUrl },
    outcome: outcomeOf(standings),
    ...(granted ? { preAuthRef: granted.authorizationNumber, preAuthPeriod: granted.validity } : {}),
    item,
    ...(notes.length > 0 ? { processNote: notes } : {}),
  };
}

/** PAS 2.0.1: queued while nothing is decided; the outcome never tells approved from denied. */
function outcomeOf(standings: readonly ItemDecision[]): ClaimResponse['outcome'] {
  const pended = standings.filter(({ kind }) => kind === 'pended').length;
  return pended === 0 ? 'complete' : pended === standings.length ? 'queued' : 'partial';
}

function answerItem(asked: ClaimItem, decision: ItemDecision, noteNumber: number | undefined): ClaimResponseItem {
  const number = isGranted(decision) ? decision.authorizationNumber : undefined;
  return {
    itemSequence: asked.sequence ?? 0,
    extension: [...extensionsByUrl(asked, PAS_EXTENSIONS.itemTraceNumber), ...requestedDate(asked), ...standingOf(asked, decision)],
    adjudication: [
      {
        category: { coding: [{ system: CODE_SYSTEMS.adjudication, code: 'submitted' }] },
        extension: [writeReviewAction({ code: REVIEW_ACTION[decision.kind], ...(number === undefined ? {} : { number }) })],
      },
    ],
    ...(noteNumber === undefined ? {} : { noteNumber: [noteNumber] }),
  };
}

function requestedDate({ servicedDate, servicedPeriod }: ClaimItem): Extension[] {
  const url = PAS_EXTENSIONS.itemRequestedServiceDate;
  if (servicedDate) return [{ url, valueDateTime: servicedDate }];
  return servicedPeriod ? [{ url, valuePeriod: servicedPeriod }] : [];
}

function standingOf(asked: ClaimItem, decision: ItemDecision): Extension[] {
  const reference = decision.referenceNumber === undefined ? [] : [{ url: PAS_EXTENSIONS.administrationReferenceNumber, valueString: decision.referenceNumber }];
  if (!isGranted(decision)) return reference;
  const { authorized } = decision;
  return [
    { url: PAS_EXTENSIONS.itemPreAuthIssueDate, valueDate: decision.issued },
    { url: PAS_EXTENSIONS.itemPreAuthPeriod, valuePeriod: decision.validity },
    ...reference,
    ...(authorized
      ? [
          {
            url: PAS_EXTENSIONS.itemAuthorizedDetail,
            extension: [
              ...(asked.productOrService ? [{ url: 'productOrServiceCode', valueCodeableConcept: asked.productOrService }] : []),
              { url: 'quantity', valueQuantity: { value: authorized.value, unit: authorized.unit } },
            ],
          },
        ]
      : []),
  ];
}
