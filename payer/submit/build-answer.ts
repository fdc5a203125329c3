import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, Claim, ClaimItem, ClaimResponse, ClaimResponseAddItem, ClaimResponseItem, ClaimResponseItemAdjudication, ClaimResponseProcessNote, Extension, Reference, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { extensionByUrl, extensionsByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { writeReviewAction } from '#fhir/pas/review-action.ts';
import type { Ask } from '../ask/ask.ts';
import { askEntries } from '../ask/ask-entries.ts';
import type { PasEndpoint, PasVersion } from '../pas-version.ts';
import { PAS_2_2_1_EXTENSION, REVIEW_ACTION } from '../terms.ts';
import { closureOf, entryOf } from './bundle-references.ts';
import { isGranted, type ItemDecision } from './item-decision.ts';
import type { PasRequest } from './read-request.ts';

export interface AnswerInput {
  readonly request: PasRequest;
  readonly endpoint: PasEndpoint;
  readonly caseId: string;
  readonly epochMs: number;
  /** One decision for each item's sequence. */
  readonly decisions: ReadonlyMap<number, ItemDecision>;
  /** What is still open of what was asked for. */
  readonly asks?: readonly Ask[];
}

/** The response bundle in the endpoint's version: the ClaimResponse first, then what it refers to, under the fullUrls of the request. */
export function buildAnswer({ request, endpoint, caseId, epochMs, decisions, asks = [] }: AnswerInput): Bundle {
  const created = new Date(epochMs).toISOString();
  const { messages, tasks } = askEntries(asks, request, endpoint, created);
  const head = answerHead(request, endpoint, caseId, created);
  const extension = [...(head.extension ?? []), ...(endpoint.version === '2.2.1' ? reviewerOf([...decisions.values()]) : [])];
  const claimResponse: ClaimResponse = {
    ...head,
    ...(extension.length > 0 ? { extension } : {}),
    ...decisionsOf(request.claim, endpoint, decisions),
    ...(messages.length > 0 ? { communicationRequest: messages.map(({ fullUrl }) => ({ reference: fullUrl ?? '' })) } : {}),
  };
  return answerBundle(request, endpoint, claimResponse, [...messages, ...tasks]);
}

/** A request that was read but cannot be taken by the rules of the business (X12 AAA): answered, with 200. */
export interface BusinessError {
  /** X12 901. */
  readonly code: string;
  /** X12 889: C correct and send again, N not to be sent again. */
  readonly followUp: 'C' | 'N';
  readonly text: string;
  /** FHIRPath rooted at the Bundle. */
  readonly path: string;
}

export function buildRefusal({ request, endpoint, caseId, epochMs }: Omit<AnswerInput, 'decisions' | 'asks'>, error: BusinessError): Bundle {
  const claimResponse: ClaimResponse = {
    ...answerHead(request, endpoint, caseId, new Date(epochMs).toISOString()),
    outcome: 'error',
    processNote: [{ number: 1, type: 'display', text: error.text }],
    error: [
      {
        extension: [
          ...(endpoint.version === '2.2.1' ? [{ url: PAS_EXTENSIONS.errorElement, extension: [{ url: 'processNote', valuePositiveInt: 1 }] }] : []),
          { url: PAS_EXTENSIONS.errorPath, valueString: error.path },
          { url: PAS_EXTENSIONS.errorFollowupAction, valueCodeableConcept: { coding: [{ system: CODE_SYSTEMS.x12FollowUpAction, code: error.followUp }] } },
        ],
        code: { coding: [{ system: CODE_SYSTEMS.x12RejectReason, code: error.code }], text: error.text },
      },
    ],
  };
  return answerBundle(request, endpoint, claimResponse, []);
}

function answerBundle({ bundle, claim, claimUrl }: PasRequest, { fhirBase }: PasEndpoint, claimResponse: ClaimResponse, asked: readonly BundleEntry[]): Bundle {
  const parties = [claim.patient, claim.insurer, claim.provider].flatMap((reference) => entryOf(bundle, reference?.reference, claimUrl) ?? []);
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { profile: [PAS_PROFILES.responseBundle] },
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` },
    type: 'collection',
    timestamp: claimResponse.created,
    entry: [
      { fullUrl: claimResponseUrl(fhirBase, claimResponse.id ?? ''), resource: claimResponse },
      ...asked,
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

function answerHead({ bundle, claim, claimUrl }: PasRequest, { version }: PasEndpoint, caseId: string, created: string): ClaimResponse {
  const transmission = version === '2.2.1' ? turnedTransmission(claim) : [];
  return {
    resourceType: 'ClaimResponse',
    id: caseId,
    meta: { profile: [PAS_PROFILES.claimResponse] },
    ...(transmission.length > 0 ? { extension: transmission } : {}),
    identifier: [...(claim.identifier ?? []), { system: 'https://payer.openpriorauth.org/authorization-case', value: caseId }],
    status: 'active',
    type: claim.type ?? {},
    use: 'preauthorization',
    patient: referTo(bundle, claimUrl, claim.patient),
    created,
    insurer: referTo(bundle, claimUrl, claim.insurer),
    requestor: referTo(bundle, claimUrl, claim.provider),
    request: { reference: claimUrl },
    outcome: 'complete',
  };
}

/** The sender of the request is the receiver of the answer. */
function turnedTransmission(claim: Claim): Extension[] {
  const sent = extensionByUrl(claim, PAS_2_2_1_EXTENSION.transmissionIdentifiers);
  const turned: Readonly<Record<string, string>> = { applicationSenderCode: 'applicationReceiverCode', applicationReceiverCode: 'applicationSenderCode', interchangeSenderID: 'interchangeReceiverID', interchangeReceiverID: 'interchangeSenderID' };
  return sent ? [{ url: sent.url, extension: (sent.extension ?? []).map((part) => ({ ...part, url: turned[part.url ?? ''] ?? part.url })) }] : [];
}

type Decisions = Pick<ClaimResponse, 'outcome' | 'preAuthRef' | 'preAuthPeriod' | 'item' | 'addItem' | 'processNote'>;

function decisionsOf(claim: Claim, { version }: PasEndpoint, decisions: ReadonlyMap<number, ItemDecision>): Decisions {
  const standings = [...decisions.values()];
  const granted = standings.find(isGranted);
  const notes: ClaimResponseProcessNote[] = [];
  const item = (claim.item ?? []).flatMap((asked): ClaimResponseItem[] => {
    const decision = decisions.get(asked.sequence ?? 0);
    if (!decision) return [];
    const { note } = decision;
    if (note !== undefined) notes.push({ number: notes.length + 1, type: 'display', text: note });
    return [answerItem(asked, decision, version, note === undefined ? undefined : notes.length)];
  });
  const addItem = version === '2.2.1' ? (claim.item ?? []).flatMap((asked) => authorizedItem(asked, decisions.get(asked.sequence ?? 0))) : [];
  return {
    outcome: version === '2.2.1' ? 'complete' : outcomeOf(standings),
    ...(granted ? { preAuthRef: granted.authorizationNumber, preAuthPeriod: granted.validity } : {}),
    item,
    ...(addItem.length > 0 ? { addItem } : {}),
    ...(notes.length > 0 ? { processNote: notes } : {}),
  };
}

/** PAS 2.0.1: queued while nothing is decided; the outcome never tells approved from denied. */
function outcomeOf(standings: readonly ItemDecision[]): ClaimResponse['outcome'] {
  const pended = standings.filter(({ kind }) => kind === 'pended').length;
  return pended === 0 ? 'complete' : pended === standings.length ? 'queued' : 'partial';
}

/** 2.2.1: whether a human being decided anything of it. The stand-in of the sandbox is none. */
function reviewerOf(standings: readonly ItemDecision[]): Extension[] {
  const decided = standings.filter(({ kind, by }) => kind !== 'pended' && by !== undefined && by !== 'provider');
  if (decided.length === 0) return [];
  const person = decided.find(({ by }) => by === 'person');
  const { npi, specialty } = person?.reviewer ?? {};
  return [
    {
      url: PAS_2_2_1_EXTENSION.reviewer,
      extension: [
        { url: 'wasHumanReviewedFlag', valueBoolean: person !== undefined },
        ...(npi === undefined ? [] : [{ url: 'reviewerNPI', valueIdentifier: { system: CODE_SYSTEMS.npi, value: npi } }]),
        ...(specialty === undefined ? [] : [{ url: 'reviewerSpecialty', valueCodeableConcept: { coding: [{ system: CODE_SYSTEMS.nuccTaxonomy, code: specialty }] } }]),
      ],
    },
  ];
}

/** 2.2.1: a modified item is said anew, under the same sequence, as it is authorized. */
function authorizedItem(asked: ClaimItem, decision: ItemDecision | undefined): ClaimResponseAddItem[] {
  if (decision?.kind !== 'modified' || !decision.authorized) return [];
  const { productOrService, modifier, servicedDate, servicedPeriod } = asked;
  return [
    {
      extension: [...extensionsByUrl(asked, PAS_EXTENSIONS.itemTraceNumber), { url: PAS_EXTENSIONS.itemPreAuthIssueDate, valueDate: decision.issued }, { url: PAS_EXTENSIONS.itemPreAuthPeriod, valuePeriod: decision.validity }],
      itemSequence: [asked.sequence ?? 0],
      productOrService: productOrService ?? {},
      ...(modifier ? { modifier } : {}),
      ...(servicedDate ? { servicedDate } : {}),
      ...(servicedPeriod ? { servicedPeriod } : {}),
      quantity: { value: decision.authorized.value, unit: decision.authorized.unit },
      adjudication: [adjudicationOf(decision)],
    },
  ];
}

function adjudicationOf(decision: ItemDecision): ClaimResponseItemAdjudication {
  const category = { coding: [{ system: CODE_SYSTEMS.adjudication, code: 'submitted' }] };
  // No public review action says "cancelled", and none is made up.
  if (decision.kind === 'cancelled') return { category };
  const number = isGranted(decision) ? decision.authorizationNumber : undefined;
  const reasonCodes = decision.reasonCodes?.map((code) => ({ coding: [{ system: CODE_SYSTEMS.x12ReviewReason, code }] }));
  return { category, extension: [writeReviewAction({ code: REVIEW_ACTION[decision.kind], ...(number === undefined ? {} : { number }), ...(reasonCodes ? { reasonCodes } : {}) })] };
}

function answerItem(asked: ClaimItem, decision: ItemDecision, version: PasVersion, noteNumber: number | undefined): ClaimResponseItem {
  return {
    itemSequence: asked.sequence ?? 0,
    extension: [...extensionsByUrl(asked, PAS_EXTENSIONS.itemTraceNumber), ...requestedDate(asked), ...standingOf(asked, decision, version)],
    adjudication: [adjudicationOf(decision)],
    ...(noteNumber === undefined ? {} : { noteNumber: [noteNumber] }),
  };
}

function requestedDate({ servicedDate, servicedPeriod }: ClaimItem): Extension[] {
  const url = PAS_EXTENSIONS.itemRequestedServiceDate;
  if (servicedDate) return [{ url, valueDateTime: servicedDate }];
  return servicedPeriod ? [{ url, valuePeriod: servicedPeriod }] : [];
}

function standingOf(asked: ClaimItem, decision: ItemDecision, version: PasVersion): Extension[] {
  const reference = decision.referenceNumber === undefined ? [] : [{ url: PAS_EXTENSIONS.administrationReferenceNumber, valueString: decision.referenceNumber }];
  if (decision.kind === 'cancelled' && decision.authorizationNumber !== undefined) return [...reference, { url: PAS_EXTENSIONS.authorizationNumber, valueString: decision.authorizationNumber }];
  if (!isGranted(decision)) return reference;
  const { authorized } = decision;
  return [
    { url: PAS_EXTENSIONS.itemPreAuthIssueDate, valueDate: decision.issued },
    { url: PAS_EXTENSIONS.itemPreAuthPeriod, valuePeriod: decision.validity },
    ...reference,
    // In 2.2.1 the detail on an item restates what was asked for.
    ...(authorized && version === '2.0.1'
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
