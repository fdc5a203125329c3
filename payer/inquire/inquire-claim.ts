import { randomUUID } from 'node:crypto';
import type { Bundle, BundleEntry, ClaimItem, Period } from '@medplum/fhirtypes';
import { extensionByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { recordAudit } from '../audit.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { PayerError } from '../payer-error.ts';
import { serviceOf } from '../policy/review-item.ts';
import { isGranted, type ItemDecision } from '../submit/item-decision.ts';
import { type PartyIdentifier, partiesOf } from '../submit/parties.ts';
import { type PasRequest, pasRequestOf, readPasBundle } from '../submit/read-request.ts';
import { REVIEW_ACTION } from '../terms.ts';

const MOST_ANSWERS = 50;

/**
 * Claim/$inquire (PAS 2.0.1): the current answers to every request of the same member and provider that fits the inquiry's items,
 * newest first, whoever sent it. No match is an answer without a ClaimResponse.
 * @throws PayerError 400, 422
 */
export async function inquireClaim(setting: PayerSetting, clientId: string, body: unknown): Promise<Bundle> {
  const inquiry = readPasBundle(body, setting.validator, PAS_PROFILES.inquiryRequestBundle);
  const parties = partiesOf(inquiry);
  const ofKind = (kind: PartyIdentifier['kind']) => parties.filter((party) => party.kind === kind);
  if (ofKind('member').length === 0) {
    throw new PayerError(422, { code: 'required', text: 'An inquiry needs the member number of the patient.', expression: 'Bundle.entry.resource.ofType(Patient).identifier' });
  }
  if (ofKind('npi').length === 0) {
    throw new PayerError(422, { code: 'required', text: 'An inquiry needs the NPI of the ordering or rendering provider.', expression: 'Bundle.entry[0].resource.provider' });
  }
  const candidates = await casesOf(setting, ofKind('member'), ofKind('npi'));
  const found = candidates.filter((candidate) => (inquiry.claim.item ?? []).some((item) => candidate.items.some((held) => fits(item, held)))).slice(0, MOST_ANSWERS);
  await recordAudit(setting.db, setting.now(), { action: 'claim-inquired', who: clientId, what: found.map(({ id }) => id) });
  return inquiryAnswer(found.map(({ answer }) => answer), setting.now());
}

interface HeldItem {
  readonly asked: ClaimItem;
  readonly decision: ItemDecision;
}

interface Candidate {
  readonly id: string;
  readonly answer: Bundle;
  readonly items: readonly HeldItem[];
}

async function casesOf({ db }: PayerSetting, members: readonly PartyIdentifier[], npis: readonly PartyIdentifier[]): Promise<readonly Candidate[]> {
  const held = await db
    .selectFrom('payer.case_identifier as member')
    .innerJoin('payer.case_identifier as provider', 'provider.case_id', 'member.case_id')
    .innerJoin('payer.authorization_case as found', 'found.id', 'member.case_id')
    .select(['found.id', 'found.request', 'found.current_answer', 'found.received_at', 'member.system', 'member.value'])
    .where('member.kind', '=', 'member')
    .where('member.value', 'in', members.map(({ value }) => value))
    .where('provider.kind', '=', 'npi')
    .where('provider.value', 'in', npis.map(({ value }) => value))
    .orderBy('found.received_at', 'desc')
    .execute();
  const same = held.filter(({ system, value }) => members.some((member) => member.value === value && (member.system === '' || system === '' || member.system === system)));
  const cases = [...new Map(same.map((row) => [row.id, row])).values()];
  if (cases.length === 0) return [];
  const decisions = await db.selectFrom('payer.authorization_item').select(['case_id', 'sequence', 'decision']).where('case_id', 'in', cases.map(({ id }) => id)).execute();
  return cases.map((row) => {
    const { claim }: PasRequest = pasRequestOf(JSON.parse(row.request));
    const items = decisions
      .filter(({ case_id }) => case_id === row.id)
      .flatMap(({ sequence, decision }): HeldItem[] => {
        const asked = claim.item?.find((item) => item.sequence === sequence);
        return asked ? [{ asked, decision: JSON.parse(decision) }] : [];
      });
    return { id: row.id, answer: JSON.parse(row.current_answer), items };
  });
}

/** Each key that the inquiry's item gives must fit; an item that gives none (not-applicable) fits everything. */
function fits(inquired: ClaimItem, { asked, decision }: HeldItem): boolean {
  const textOf = (url: string) => extensionByUrl(inquired, url)?.valueString?.trim();
  const authorization = textOf(PAS_EXTENSIONS.authorizationNumber);
  const reference = textOf(PAS_EXTENSIONS.administrationReferenceNumber);
  const action = extensionByUrl(inquired, PAS_EXTENSIONS.reviewActionCode)?.valueCodeableConcept?.coding?.[0]?.code;
  const wanted = serviceOf(inquired);
  const held = serviceOf(asked);
  const heldAuthorization = isGranted(decision) ? decision.authorizationNumber : undefined;
  return (
    (authorization === undefined || authorization === heldAuthorization) &&
    (reference === undefined || reference === decision.referenceNumber) &&
    (action === undefined || action === REVIEW_ACTION[decision.kind]) &&
    (wanted === undefined || (wanted.system === held?.system && wanted.code === held.code)) &&
    overlap(datesOf(inquired), datesOf(asked))
  );
}

function datesOf({ servicedDate, servicedPeriod }: ClaimItem): Period | undefined {
  return servicedDate ? { start: servicedDate, end: servicedDate } : servicedPeriod;
}

/** Full dates compare as text. What is not given does not limit. */
function overlap(a: Period | undefined, b: Period | undefined): boolean {
  const startsBefore = (one: Period | undefined, other: Period | undefined) => !one?.start || !other?.end || one.start <= other.end;
  return startsBefore(a, b) && startsBefore(b, a);
}

function inquiryAnswer(answers: readonly Bundle[], epochMs: number): Bundle {
  const entries = answers.flatMap(({ entry }) => entry ?? []);
  const responses = entries.flatMap(({ fullUrl, resource }): BundleEntry[] =>
    resource?.resourceType === 'ClaimResponse' ? [{ fullUrl, resource: { ...resource, meta: { profile: [PAS_PROFILES.claimInquiryResponse] } } }] : [],
  );
  const others = new Map(entries.filter(({ resource }) => resource?.resourceType !== 'ClaimResponse').map((entry): [string, BundleEntry] => [entry.fullUrl ?? '', entry]));
  return {
    resourceType: 'Bundle',
    id: randomUUID(),
    meta: { profile: [PAS_PROFILES.inquiryResponseBundle] },
    identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` },
    type: 'collection',
    timestamp: new Date(epochMs).toISOString(),
    entry: responses.length > 0 ? [...responses, ...others.values()] : [noMatch()],
  };
}

/** The profile asks for one entry at least, so that "nothing found" is said in one. */
function noMatch(): BundleEntry {
  const id = randomUUID();
  return {
    fullUrl: `urn:uuid:${id}`,
    resource: { resourceType: 'OperationOutcome', id, issue: [{ severity: 'information', code: 'not-found', details: { text: 'No authorization matches this inquiry.' } }] },
  };
}
