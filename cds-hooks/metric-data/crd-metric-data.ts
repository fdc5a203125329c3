import type { Resource } from '@medplum/fhirtypes';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import type { HookAnswer } from '../hook-answer.ts';
import type { HookCall } from '../hook-call.ts';

/** One row of CRD's logical model CRDMetricData (2.0.1), as this side of the call fills it. It names no patient and no resource of one. */
export interface CrdMetricData {
  readonly source: 'payer-src';
  readonly hookInstance: string;
  readonly hookType: string;
  readonly providerId: { readonly value: string };
  readonly groupId: { readonly value: string };
  readonly payerId?: { readonly system: string; readonly value: string };
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
  readonly type: string;
  readonly focus?: readonly string[];
  readonly coverageInfo?: readonly {
    readonly covered: string;
    readonly paNeeded?: string;
    readonly docNeeded?: string;
    readonly infoNeeded?: string;
    readonly questionnaire?: readonly { readonly reference: string; readonly adaptive: false; readonly response: false }[];
    readonly assertionId: string;
  }[];
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
  return {
    source: 'payer-src',
    hookInstance: call.hookInstance,
    hookType: call.hook,
    // order-dispatch tells nothing of a user.
    providerId: { value: call.userId?.startsWith('Practitioner') ? call.userId : client },
    groupId: { value: client },
    ...(payer ? { payerId: payerId(payer) } : {}),
    requestTime: new Date(fromMs).toISOString(),
    responseTime: new Date(untilMs).toISOString(),
    httpResponse: outcome.kind === 'answered' ? 200 : outcome.status,
    tokenUse: data === 'prefetch' || call.accessToken === undefined ? 'not-used' : data === 'fetched' ? 'used' : 'rejected',
    ...(outcome.kind === 'refused' ? { issue: outcome.issueCodes.map((code) => ({ code })) } : {}),
    orderDetail: determined.flatMap(({ service }) => (service ? [{ coding: service.codings.map(({ system, code }) => ({ system, code })) }] : [])),
    resources: countPrefetched(call.prefetch),
    ...(outcome.kind === 'answered' ? { response: [...determined.map(coverageResponse), ...outcome.answer.cards.map((card) => ({ type: card.source.topic.code }))] } : {}),
  };
}

function coverageResponse({ focus, determination: { requirement } }: DeterminedFocus): MetricResponse {
  const { covered, paNeeded, docNeeded, infoNeeded, questionnaires, assertionId } = requirement;
  return {
    type: 'coverage-info',
    focus: [focus.resourceType],
    coverageInfo: [
      {
        covered,
        ...(paNeeded ? { paNeeded } : {}),
        ...(docNeeded ? { docNeeded } : {}),
        ...(infoNeeded[0] ? { infoNeeded: infoNeeded[0] } : {}),
        ...(questionnaires.length > 0 ? { questionnaire: questionnaires.map((reference) => ({ reference, adaptive: false as const, response: false as const })) } : {}),
        assertionId,
      },
    ],
  };
}

function payerId({ organizationIdentifiers: [first], id }: Payer): { readonly system: string; readonly value: string } {
  return first ?? { system: 'https://openpriorauth.org/payer-id', value: id };
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
