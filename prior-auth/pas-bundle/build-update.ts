import type { Bundle, BundleEntry, Claim, ClaimItem, ClaimSupportingInfo, Extension } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { withExtensions } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS, PAS_PROFILES } from '#fhir/pas/canonical-urls.ts';
import { type AddedOrders, writeAddedOrders } from './added-orders.ts';
import type { BuildOptions, Submission, SubmissionKeys } from './build-submission.ts';
import { openBundleContents } from './bundle-contents.ts';
import { isCancelled } from './cancelled-item.ts';
import { NO_DIAGNOSIS_MAP } from './diagnosis-map.ts';
import { IDENTIFIER_SYSTEMS } from './identifiers.ts';
import { PAS_DIALECTS, type PasDialect } from './pas-dialect.ts';
import type { BuildRequest, PasVersion, RequestChange, SentRequest } from './request-change.ts';
import { sentClaim } from './sent-claim.ts';
import type { SubmissionInput } from './submission-input.ts';
import { summarize } from './summarize.ts';
import { warningsOf } from './submission-warnings.ts';
import { coded, writeInformation } from './write-claim.ts';

/**
 * A later version of a request that was sent (PAS §update and cancel). It is made from that request, so that every item and every supporting information
 * keeps its sequence and place; flags say what differs from the request just before, and flags of earlier updates go.
 */
export function buildUpdate(input: SubmissionInput, request: Exclude<BuildRequest, { readonly kind: 'new' }>, { ids, now, version = '2.0.1', diagnosisMap = NO_DIAGNOSIS_MAP, refused }: BuildOptions): Submission {
  const dialect = PAS_DIALECTS[version];
  const { previous } = request;
  const sent = sentClaim(previous.bundle);
  const keys = { bundle: ids(), claim: ids() };
  const contents = openBundleContents(ids, input.case.ehrBase, previous.keys.names);
  const claimUrl = contents.reserve();
  const change = request.kind === 'cancel' ? cancellationOf(previous.keys) : request.change;
  const added = request.kind === 'cancel' ? NOTHING_ADDED : writeAddedOrders(input, { sent, contents, ids, change, sentKeys: previous.keys, nextSequence: nextSequence(sent), dialect, diagnosisMap, refused });
  if (added.kind === 'incomplete') return added;

  const created = new Date(now).toISOString();
  const claim: Claim = {
    ...withoutUpdateMarks(sent),
    meta: { profile: [PAS_PROFILES.claimUpdate] },
    ...rootExtension(sent, request.kind, version),
    identifier: [{ system: IDENTIFIER_SYSTEMS.claim, value: keys.claim }],
    created,
    related: [relatedTo(previous, sent, version)],
    ...listed('careTeam', [...(sent.careTeam ?? []), ...added.careTeam]),
    ...listed('supportingInfo', [...(sent.supportingInfo ?? []).map(unmarked), ...added.information.map((reference, index) => mark(writeInformation(nextInformation(sent) + index, reference, dialect), 'added'))]),
    ...listed('diagnosis', [...(sent.diagnosis ?? []), ...added.diagnosis]),
    item: [...(sent.item ?? []).map((item) => nextItem(item, change, dialect)), ...added.items.map((item) => mark(item, 'added'))],
  };
  contents.add(claimUrl, claim);
  const entries = [...contents.entries().filter(({ fullUrl }) => fullUrl === claimUrl), ...keptEntries(previous, version), ...added.entries];
  const bundle: Bundle = {
    resourceType: 'Bundle',
    meta: { profile: [PAS_PROFILES.requestBundle] },
    identifier: { system: IDENTIFIER_SYSTEMS.submission, value: keys.bundle },
    type: 'collection',
    timestamp: created,
    entry: entries,
  };
  const names = contents.names();
  const items = [...previous.keys.items.map((item) => (change.cancel.includes(item.sequence) ? { ...item, cancelled: true as const } : item)), ...added.keys];
  return {
    kind: 'built',
    bundle,
    keys: {
      bundleIdentifier: keys.bundle,
      claimIdentifier: keys.claim,
      claimFullUrl: claimUrl,
      ...(previous.keys.clinician ? { clinician: previous.keys.clinician } : {}),
      names,
      items,
    },
    summary: summarize(input, { bundle, names, items, supporting: added.supporting, warnings: warningsOf(bundle, added) }),
  };
}

const NOTHING_ADDED: AddedOrders = { kind: 'written', items: [], keys: [], information: [], diagnosis: [], careTeam: [], supporting: { sent: [], leftOut: [] }, notSent: [], unmapped: [], entries: [] };

function cancellationOf({ items }: SubmissionKeys): RequestChange {
  return { cancel: items.filter(({ cancelled }) => !cancelled).map(({ sequence }) => sequence), change: [], add: [] };
}

function withoutUpdateMarks({ id: _id, related: _related, supportingInfo: _information, diagnosis: _diagnosis, extension: _extension, ...claim }: Claim): Omit<Claim, 'supportingInfo' | 'diagnosis' | 'related'> {
  return claim;
}

/** 2.2.1: the root says that the whole request is cancelled; 2.0.1 has no place for it. */
function rootExtension({ extension }: Claim, kind: BuildRequest['kind'], version: PasVersion): { extension?: Extension[] } {
  const kept = withExtensions({ extension }, PAS_EXTENSIONS.certificationType, kind === 'cancel' && version === '2.2.1' ? [CANCELLED] : []);
  return kept.length > 0 ? { extension: kept } : {};
}

/** 2.0.1 says `replaces` and has no room for the earlier Claim; 2.2.1 says `prior` and carries it. */
function relatedTo({ keys }: SentRequest, { identifier }: Claim, version: PasVersion): NonNullable<Claim['related']>[number] {
  const relationship = { coding: [{ system: CODE_SYSTEMS.relatedClaim, code: version === '2.2.1' ? 'prior' : 'replaces' }] };
  const [named] = identifier ?? [];
  return { claim: version === '2.2.1' ? { reference: keys.claimFullUrl } : named ? { identifier: { system: named.system ?? '', value: named.value ?? '' } } : {}, relationship };
}

/** The parties and the evidence stay under their urns. In 2.2.1 the Claim just before stays too; the one before that goes, and its reference dangles by rule. */
function keptEntries({ bundle }: SentRequest, version: PasVersion): BundleEntry[] {
  return (bundle.entry ?? []).filter(({ resource }, index) => resource?.resourceType !== 'Claim' || (index === 0 && version === '2.2.1'));
}

function nextItem(item: ClaimItem, change: RequestChange, dialect: PasDialect): ClaimItem {
  const plain = unmarked(item);
  if (isCancelled(item)) return plain;
  if (change.cancel.includes(item.sequence)) return cancelItem(plain);
  const changed = change.change.find(({ sequence }) => sequence === item.sequence);
  if (!changed) return plain;
  const { servicedDate, servicedPeriod, ...rest } = plain;
  const serviced = changed.serviced ? ('date' in changed.serviced ? { servicedDate: changed.serviced.date } : { servicedPeriod: changed.serviced.period }) : { ...(servicedDate ? { servicedDate } : {}), ...(servicedPeriod ? { servicedPeriod } : {}) };
  return mark({ ...rest, ...serviced, ...(changed.quantity ? { quantity: dialect.quantity(changed.quantity) } : {}) }, 'changed');
}

/** UM02: 3 cancels. */
const CANCELLED = coded(PAS_EXTENSIONS.certificationType, CODE_SYSTEMS.x12CertificationType, '3');

function cancelItem(item: ClaimItem): ClaimItem {
  return mark({ ...item, extension: withExtensions(item, PAS_EXTENSIONS.certificationType, [CANCELLED]), modifierExtension: [{ url: PAS_EXTENSIONS.infoCancelled, valueBoolean: true }] }, 'changed');
}

function mark<T extends ClaimItem | ClaimSupportingInfo>(of: T, how: 'added' | 'changed'): T {
  return { ...of, extension: withExtensions(of, PAS_EXTENSIONS.infoChanged, [{ url: PAS_EXTENSIONS.infoChanged, valueCode: how }]) };
}

/** Flags compare with the request just before: those of an earlier update go, a cancellation stays. */
function unmarked<T extends ClaimItem | ClaimSupportingInfo>(of: T): T {
  const { extension: _extension, ...rest } = of;
  const kept = withExtensions(of, PAS_EXTENSIONS.infoChanged, []);
  return { ...rest, ...(kept.length > 0 ? { extension: kept } : {}) } as T;
}

const nextSequence = ({ item }: Claim): number => Math.max(0, ...(item ?? []).map(({ sequence }) => sequence)) + 1;
const nextInformation = ({ supportingInfo }: Claim): number => Math.max(0, ...(supportingInfo ?? []).map(({ sequence }) => sequence)) + 1;

function listed<K extends string, T>(name: K, list: readonly T[]): { [N in K]?: T[] } {
  return (list.length > 0 ? { [name]: [...list] } : {}) as { [N in K]?: T[] };
}
