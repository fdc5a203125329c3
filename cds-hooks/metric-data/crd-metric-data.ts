import type { Extension, Resource } from '@medplum/fhirtypes';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { CARD_TYPE_CODES } from '#fhir/generated/code-sets.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { Action, Card, HookAnswer } from '../hook-answer.ts';
import type { HookCall } from '../hook-call.ts';

/** One row of CRD's logical model CRDMetricData (2.0.1), as this side of the call fills it. It names no patient and no resource of one. */
export interface CrdMetricData {
  readonly source: 'payer-src';
  readonly hookInstance: string;
  readonly hookType: string;
  readonly providerId: { readonly value: string };
  readonly groupId: { readonly value: string };
  readonly payerId: { readonly system: string; readonly value: string };
  readonly requestTime: string;
  readonly responseTime: string;
  readonly httpResponse: number;
  readonly issue?: readonly { readonly code: string }[];
  readonly tokenUse: 'used' | 'not-used' | 'rejected';
  readonly orderDetail?: readonly { readonly coding: readonly { readonly system: string; readonly code: string }[] }[];
  readonly resources?: readonly { readonly type: string; readonly count: number; readonly prefetch: boolean }[];
  readonly response?: readonly MetricResponse[];
}

interface MetricResponse {
  readonly type?: string;
  readonly focus?: readonly string[];
  readonly coverageInfo?: readonly CoverageInfo[];
}

interface CoverageInfo {
  readonly covered: string;
  readonly paNeeded?: string;
  readonly docNeeded?: string;
  readonly infoNeeded?: string;
  /** A policy names forms with fixed questions; which of them a payer asks adaptively is not known here. */
  readonly questionnaire?: readonly { readonly reference: string; readonly adaptive: false; readonly response: false }[];
  readonly assertionId: string;
  readonly satisfiedId?: string;
}

export interface AnsweredCall {
  readonly call: HookCall;
  /** `iss` of the client: the organization that calls. */
  readonly client: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly data: 'prefetch' | 'fetched' | 'incomplete';
  readonly outcome:
    | { readonly kind: 'answered'; readonly answer: HookAnswer; readonly determined: readonly DeterminedFocus[] }
    | { readonly kind: 'refused'; readonly status: number; readonly issueCodes: readonly string[] };
}

export function crdMetricData({ call, client, fromMs, untilMs, data, outcome }: AnsweredCall): CrdMetricData {
  const determined = outcome.kind === 'answered' ? outcome.determined : [];
  const payer = determined.find((each) => each.payer)?.payer;
  const ours = new Set(determined.map(({ determination }) => determination.requirement.assertionId));
  return {
    source: 'payer-src',
    hookInstance: call.hookInstance,
    hookType: call.hook,
    // order-dispatch tells nothing of a user.
    providerId: { value: call.userId?.startsWith('Practitioner') ? call.userId : client },
    groupId: { value: client },
    payerId: payer ? payerId(payer) : UNKNOWN_PAYER,
    requestTime: new Date(fromMs).toISOString(),
    responseTime: new Date(untilMs).toISOString(),
    httpResponse: outcome.kind === 'answered' ? 200 : outcome.status,
    tokenUse: data === 'prefetch' || call.accessToken === undefined ? 'not-used' : data === 'fetched' ? 'used' : 'rejected',
    ...(outcome.kind === 'refused' ? { issue: outcome.issueCodes.map((code) => ({ code })) } : {}),
    orderDetail: determined.flatMap(({ service }) => (service && service.codings.length > 0 ? [{ coding: service.codings.map(({ system, code }) => ({ system, code })) }] : [])),
    resources: countPrefetched(call.prefetch),
    ...(outcome.kind === 'answered' ? { response: [...outcome.answer.systemActions.flatMap((action) => coverageResponse(action, ours)), ...outcome.answer.cards.map(cardResponse)] } : {}),
  };
}

/** What left of coverage-information on one resource, in 2.0.1's codes, whichever version it left in. What others had put there before is not ours. */
function coverageResponse({ type, resource }: Action, ours: ReadonlySet<string>): readonly MetricResponse[] {
  if (type !== 'update' || !resource) return [];
  const said = readRequirement({ extension: answersOn(resource, ours) });
  return said.length === 0 ? [] : [{ type: 'coverage-info', focus: [resource.resourceType], coverageInfo: said.map(coverageInfo) }];
}

function coverageInfo({ covered, paNeeded, docNeeded, infoNeeded, questionnaires, assertionId, satisfiedPaId }: CoverageRequirement): CoverageInfo {
  return {
    covered,
    ...(paNeeded ? { paNeeded } : {}),
    ...(docNeeded ? { docNeeded } : {}),
    ...(infoNeeded[0] ? { infoNeeded: infoNeeded[0] } : {}),
    ...(questionnaires.length > 0 ? { questionnaire: questionnaires.map((reference) => ({ reference, adaptive: false as const, response: false as const })) } : {}),
    assertionId,
    ...(satisfiedPaId ? { satisfiedId: satisfiedPaId } : {}),
  };
}

function answersOn(resource: Resource, ours: ReadonlySet<string>): Extension[] {
  const extensions = 'extension' in resource ? (resource.extension ?? []) : [];
  return extensions.filter((extension) => extension.url === CRD_URLS.coverageInformation && ours.has(readCoverageInformation({ extension: [extension] })[0]?.assertionId ?? ''));
}

/** The type is for CRD's own card types; a card of another says none. */
function cardResponse({ source: { topic } }: Card): MetricResponse {
  const code = topic.system === CRD_URLS.codesTemp || topic.system === CRD_URLS.cardTypes ? CARD_TYPE_CODES.find((each) => each === topic.code) : undefined;
  return code ? { type: code } : {};
}

const PAYER_IDS = 'https://openpriorauth.org/payer-id';
/** The model asks for one in every row. */
const UNKNOWN_PAYER = { system: PAYER_IDS, value: 'unknown' };

function payerId({ organizationIdentifiers: [first], id }: Payer): { readonly system: string; readonly value: string } {
  return first ?? { system: PAYER_IDS, value: id };
}

function countPrefetched(prefetch: HookCall['prefetch']): CrdMetricData['resources'] {
  const counts = new Map<string, number>();
  const count = (resource: Resource | undefined): void => {
    if (resource) counts.set(resource.resourceType, (counts.get(resource.resourceType) ?? 0) + 1);
  };
  for (const value of Object.values(prefetch)) {
    // Refused calls are counted too, and theirs may not have the form of FHIR.
    if (value?.resourceType !== 'Bundle') count(value ?? undefined);
    else if (Array.isArray(value.entry)) for (const entry of value.entry) count(entry?.resource);
  }
  return [...counts].map(([type, number]) => ({ type, count: number, prefetch: true }));
}
