import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, OperationOutcome, Parameters } from '@medplum/fhirtypes';
import { PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { recordAudit } from '../audit.ts';
import type { PasEndpoint } from '../pas-version.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { PayerError } from '../payer-error.ts';
import { type PartyIdentifier, partiesOf } from '../submit/parties.ts';
import { readPasBundle } from '../submit/read-request.ts';
import { findChains } from './find-chains.ts';
import { fitsInquiry } from './fits-inquiry.ts';

const MOST_ANSWERS = 50;

export interface Inquired {
  readonly resource: Bundle | Parameters;
  /** The requests that were found. */
  readonly chainIds: readonly string[];
}

/**
 * Claim/$inquire: the current answers to every request of the same member and provider that fits the inquiry's keys, newest first, whoever sent it, in
 * the version of the address. A key that fits an earlier version of a request finds its current one. No match is an answer without a ClaimResponse.
 * @throws PayerError 400, 422
 */
export async function inquireClaim(setting: PayerSetting, endpoint: PasEndpoint, clientId: string, body: unknown): Promise<Inquired> {
  const inquiry = readPasBundle(body, endpoint, 'inquiry');
  const parties = partiesOf(inquiry);
  const ofKind = (kind: PartyIdentifier['kind']) => parties.filter((party) => party.kind === kind);
  if (ofKind('member').length === 0) {
    throw new PayerError(422, { code: 'required', text: 'An inquiry needs the member number of the patient.', expression: 'Bundle.entry.resource.ofType(Patient).identifier' });
  }
  if (ofKind('npi').length === 0) {
    throw new PayerError(422, { code: 'required', text: 'An inquiry needs the NPI of the ordering or rendering provider.', expression: 'Bundle.entry[0].resource.provider' });
  }
  const chains = await findChains(setting.db, ofKind('member'), ofKind('npi'));
  const found = chains.filter(({ versions }) => versions.some((version) => fitsInquiry(inquiry.claim, version))).slice(0, MOST_ANSWERS);
  await recordAudit(setting.db, setting.now(), { action: 'claim-inquired', who: clientId, what: found.map(({ currentId }) => currentId) });
  const answers = found.map(({ answer }) => forInquiry(answer, endpoint));
  const timestamp = new Date(setting.now()).toISOString();
  const chainIds = found.map(({ chainId }) => chainId);
  if (endpoint.version === '2.2.1') {
    return { chainIds, resource: { resourceType: 'Parameters', ...(answers.length > 0 ? { parameter: answers.map((entry) => ({ name: 'return', resource: inquiryBundle(entry, timestamp) })) } : {}) } };
  }
  const [responses, others] = [answers.flatMap((entry) => entry.filter(isClaimResponse)), answers.flatMap((entry) => entry.filter((one) => !isClaimResponse(one)))];
  const once = new Map(others.map((entry) => [entry.fullUrl ?? '', entry]));
  return { chainIds, resource: inquiryBundle(responses.length > 0 ? [...responses, ...once.values()] : [noMatch()], timestamp) };
}

function isClaimResponse({ resource }: BundleEntry): boolean {
  return resource?.resourceType === 'ClaimResponse';
}

/** The entries of a stored answer as an inquiry's. In 2.2.1 an inquiry does not carry requests for more information: the notification did. */
function forInquiry({ entry = [] }: Bundle, { version }: PasEndpoint): readonly BundleEntry[] {
  return entry.flatMap(({ fullUrl, resource }): BundleEntry[] => {
    if (resource?.resourceType === 'ClaimResponse') {
      const { communicationRequest, ...response } = resource;
      return [{ fullUrl, resource: { ...response, meta: { profile: [PAS_PROFILES.claimInquiryResponse] }, ...(communicationRequest && version === '2.0.1' ? { communicationRequest } : {}) } }];
    }
    const isAsk = resource?.resourceType === 'CommunicationRequest' || resource?.resourceType === 'Task';
    return isAsk && version === '2.2.1' ? [] : [{ fullUrl, resource }];
  });
}

function inquiryBundle(entry: readonly BundleEntry[], timestamp: string): Bundle {
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { profile: [PAS_PROFILES.inquiryResponseBundle] },
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` },
    type: 'collection',
    timestamp,
    entry: [...entry],
  };
}

/** 2.0.1: the profile asks for one entry at least, so that "nothing found" is said in one. */
function noMatch(): BundleEntry {
  const id = randomUUID();
  const resource: OperationOutcome = { resourceType: 'OperationOutcome', id, issue: [{ severity: 'information', code: 'not-found', details: { text: 'No authorization matches this inquiry.' } }] };
  return { fullUrl: `urn:uuid:${id}`, resource };
}
