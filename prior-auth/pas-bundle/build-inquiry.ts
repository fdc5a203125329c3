import type { Bundle, BundleEntry, Claim, Extension, Resource } from '@medplum/fhirtypes';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import type { PayerDecision } from '../payer-decision/decision.ts';
import type { BuildOptions } from './build-submission.ts';
import { isCancelled } from './cancelled-item.ts';
import { IDENTIFIER_SYSTEMS } from './identifiers.ts';
import { sentClaim } from './sent-claim.ts';

/** Of a request's entries, those an inquiry needs: who asks, of whom, about whom. Nothing clinical is sent a second time. */
const PARTIES: readonly string[] = ['Patient', 'Organization', 'Coverage', 'PractitionerRole', 'Practitioner'] satisfies readonly Resource['resourceType'][];

/**
 * The inquiry about a request that was sent, made from that request: same parties under the same fullUrls, the items that still stand with their
 * trace numbers, and the reference and authorization numbers that the payer gave. Its Claim.identifier is the query's own (2.2.1: never a search key).
 * 2.2.1 also has a place for a number of the whole request.
 */
export function buildInquiry(submitted: Bundle, decision: PayerDecision | undefined, { ids, now, version = '2.0.1' }: Pick<BuildOptions, 'ids' | 'now' | 'version'>): Bundle {
  const request = sentClaim(submitted);
  const created = new Date(now).toISOString();
  const standing = (request.item ?? []).filter((item) => !isCancelled(item));
  const items = standing.length > 0 ? standing : (request.item ?? []);
  const numbers = items.map(({ sequence }) => numbersOf(decision, sequence));
  const ofWhole = version === '2.2.1' ? numberExtensions({ reference: shared(numbers.map(({ reference }) => reference)), authorization: shared(numbers.map(({ authorization }) => authorization)) }) : [];
  const claim: Claim = {
    resourceType: 'Claim',
    meta: { profile: [PAS_PROFILES.claimInquiry] },
    ...(ofWhole.length > 0 ? { extension: ofWhole } : {}),
    identifier: [{ system: IDENTIFIER_SYSTEMS.claim, value: ids() }],
    status: 'active',
    type: request.type,
    use: 'preauthorization',
    patient: request.patient,
    created,
    ...(request.insurer ? { insurer: request.insurer } : {}),
    provider: request.provider,
    priority: request.priority,
    insurance: request.insurance,
    item: items.map(({ sequence, extension, productOrService, servicedDate, servicedPeriod }, index) => ({
      extension: [...(extension ?? []).filter(({ url }) => KEPT_EXTENSIONS.includes(url)), ...numberExtensions(numbers[index] ?? {})],
      sequence,
      productOrService,
      ...(servicedDate ? { servicedDate } : {}),
      ...(servicedPeriod ? { servicedPeriod } : {}),
    })),
  };
  const parties = (submitted.entry ?? []).filter(({ resource }) => PARTIES.includes(resource?.resourceType ?? ''));
  return {
    resourceType: 'Bundle',
    meta: { profile: [PAS_PROFILES.inquiryRequestBundle] },
    identifier: { system: IDENTIFIER_SYSTEMS.submission, value: ids() },
    type: 'collection',
    timestamp: created,
    entry: [{ fullUrl: `urn:uuid:${ids()}`, resource: claim }, ...reachable(parties, claim)],
  };
}

const KEPT_EXTENSIONS: readonly string[] = [PAS_EXTENSIONS.itemTraceNumber, PAS_EXTENSIONS.serviceItemRequestType, PAS_EXTENSIONS.certificationType];

/** Entries the claim leads to; the clinician's role is not one of them (an inquiry names the requesting organization). */
function reachable(candidates: readonly BundleEntry[], from: Claim): BundleEntry[] {
  const byUrl = new Map(candidates.map((entry) => [entry.fullUrl, entry]));
  const found = new Map<string, BundleEntry>();
  const visit = (value: unknown): void => {
    if (Array.isArray(value)) return value.forEach(visit);
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      const entry = key === 'reference' && typeof inner === 'string' ? byUrl.get(inner) : undefined;
      if (entry && typeof inner === 'string' && !found.has(inner)) {
        found.set(inner, entry);
        visit(entry.resource);
      } else visit(inner);
    }
  };
  visit(from);
  return candidates.filter(({ fullUrl }) => fullUrl !== undefined && found.has(fullUrl));
}

interface PayerNumbers {
  /** REF-NT, of what is not approved. */
  readonly reference?: string | undefined;
  /** REF-BB. */
  readonly authorization?: string | undefined;
}

function numbersOf(decision: PayerDecision | undefined, sequence: number): PayerNumbers {
  const found = decision?.items.find((item) => item.sequence === sequence)?.decision;
  if (found?.kind === 'pended') return { reference: found.administrativeReference };
  return found?.kind === 'approved' || found?.kind === 'modified' ? { authorization: found.authorizationNumber } : {};
}

function numberExtensions({ reference, authorization }: PayerNumbers): Extension[] {
  return [
    ...(reference ? [{ url: PAS_EXTENSIONS.administrationReferenceNumber, valueString: reference }] : []),
    ...(authorization ? [{ url: PAS_EXTENSIONS.authorizationNumber, valueString: authorization }] : []),
  ];
}

/** The one number that all items have. */
function shared(numbers: readonly (string | undefined)[]): string | undefined {
  const [first] = numbers;
  return numbers.every((number) => number === first) ? first : undefined;
}
