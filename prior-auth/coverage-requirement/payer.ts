import type { Coverage, Organization } from '@medplum/fhirtypes';
import { connectionOf, isOfPlan, type PayerAuthentication, type PayerPlan, type PayerTls, planConnectionId } from './payer-connection.ts';
import type { PayerQuirks } from './payer-quirks.ts';
import type { RequirementContact } from './requirement.ts';

export interface Payer {
  readonly id: string;
  /** As printed on the member's card. */
  readonly name: string;
  /** Identifiers by which a Coverage's payor Organization is known to be this payer; the first is ours. */
  readonly organizationIdentifiers: readonly { readonly system: string; readonly value: string }[];
  /** Names that mean this payer where an Organization carries no known identifier. */
  readonly matchNames: readonly string[];
  /** Absolute base URL of the payer's FHIR API. */
  readonly fhirBase: string;
  readonly pasVersion: '2.0.1' | '2.2.1';
  /** How the payer tells us of a pended decision. */
  readonly subscriptions: 'rest-hook' | 'none';
  /** How its one filter is spelled. Default: `org-identifier`. */
  readonly subscriptionFilter?: SubscriptionFilter | undefined;
  /** One Subscription for each submitting organization (default), or one whose filter lists all of them. */
  readonly subscriptionFor?: 'each-organization' | 'all-organizations' | undefined;
  /** IANA name: policy dates are calendar days there. */
  readonly timeZone: string;
  /** Whom a clinician asks about a coverage answer. */
  readonly contact?: RequirementContact | undefined;
  /** The payer's own CRD service, whose word goes before the policies held here. */
  readonly crd?: PayerCrdService | undefined;
  /** How its questionnaire operations are spoken to. Default: DTR 2.0.1 at the usual addresses. */
  readonly dtr?: PayerDtrService | undefined;
  /** Manual: nothing new is sent electronically; staff send the packet and record the payer's reference. Default electronic. */
  readonly mode?: 'electronic' | 'manual' | undefined;
  /** Default: SMART Backend Services with ES384. */
  readonly authentication?: PayerAuthentication | undefined;
  readonly tls?: PayerTls | undefined;
  /** Base whose /.well-known/davinci-configuration (HRex) names the endpoints; `fhirBase` holds where it names none. */
  readonly discoveryBase?: string | undefined;
  /** Coverages of these plans are sent elsewhere. */
  readonly plans?: readonly PayerPlan[] | undefined;
  /** Where the payer differs; read them with `quirksOf`. */
  readonly quirks?: Partial<PayerQuirks> | undefined;
  /** Of the connection of one plan: the payer it belongs to. */
  readonly planOf?: string | undefined;
}

/** What of DTR's two versions a payer speaks; both are filled in alike. */
export type DtrVersion = '2.0.1' | '2.2';

/** The guide's narrative, its topic and its first version name the filter differently. */
export type SubscriptionFilter = 'org-identifier' | 'orgIdentifier' | 'identifier';

export interface PayerDtrService {
  readonly version: DtrVersion;
  /** Paths under `fhirBase`, where they differ from the guide's. */
  readonly operations?: { readonly [operation in 'questionnairePackage' | 'nextQuestion' | 'logErrors' | 'expand']?: string | undefined } | undefined;
  /** Base URLs of terminology servers that its forms may name; a server that is not listed is never asked. */
  readonly terminologyServers?: readonly string[] | undefined;
}

export interface PayerCrdService {
  /** What stands before /cds-services; no slash at its end. */
  readonly baseUrl: string;
  readonly version: '2.0' | '2.2';
  /** How long a call may wait for it. */
  readonly timeoutMs: number;
}

export interface PayerDirectory {
  readonly payers: readonly Payer[];
  find(organization: Organization | undefined): Payer | undefined;
  /** A payer, or the connection of one of its plans. */
  byId(id: string): Payer | undefined;
  /** Where requests of this coverage go: the payer itself, or the connection of the first of its plans that fits. Its id is what a submission and a subscription are kept under. */
  forCoverage(payerId: string, coverage: Coverage | undefined): Payer | undefined;
}

export function createPayerDirectory(payers: readonly Payer[]): PayerDirectory {
  const byId = new Map(payers.flatMap((payer) => [payer, ...(payer.plans ?? []).map((plan) => connectionOf(payer, plan))]).map((payer) => [payer.id, payer]));
  const byIdentifier = new Map(payers.flatMap((payer) => payer.organizationIdentifiers.map(({ system, value }) => [`${system}|${value}`, payer] as const)));
  const byName = new Map(payers.flatMap((payer) => [payer.name, ...payer.matchNames].map((name) => [plainName(name), payer] as const)));
  return {
    payers,
    byId: (id) => byId.get(id),
    forCoverage(payerId, coverage) {
      const payer = byId.get(payerId);
      const plan = coverage && payer?.plans?.find((each) => isOfPlan(coverage, each));
      return payer && plan ? byId.get(planConnectionId(payer.id, plan.id)) : payer;
    },
    find(organization) {
      const identified = organization?.identifier?.map(({ system, value }) => byIdentifier.get(`${system?.trim()}|${value?.trim()}`)).find((payer) => payer !== undefined);
      if (identified) return identified;
      return [organization?.name, ...(organization?.alias ?? [])].map((name) => (name ? byName.get(plainName(name)) : undefined)).find((payer) => payer !== undefined);
    },
  };
}

/** Names are compared without case, punctuation, "and"/"&" and "the". */
function plainName(name: string): string {
  return name.toLowerCase().replace(/&/g, ' and ').replace(/[^\p{L}\p{N}]+/gu, ' ').replace(/\b(the|and|of|for)\b/g, ' ').replace(/\s+/g, ' ').trim();
}
