import type { Claim, ClaimItem, Identifier } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { type Extensible, extensionByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import type { PasEndpoint } from '../pas-version.ts';
import { PayerError } from '../payer-error.ts';
import { entryOf } from './bundle-references.ts';
import type { PasRequest } from './read-request.ts';

/** What a submission is: a new request, or a change of one that was sent. */
export type RequestChange =
  | { readonly kind: 'new' }
  | {
      readonly kind: 'update';
      /** Identifiers of the Claim that it changes. */
      readonly prior: readonly Identifier[];
      /** The whole request is taken back. */
      readonly cancelsAll: boolean;
      /** Items that it leaves out stay as they are. */
      readonly isDifferential: boolean;
    };

/** UM02: cancel. */
const CANCEL = '3';
const CLAIM = 'Bundle.entry[0].resource';

/**
 * New, update or cancellation (PAS §update). 2.0.1 names the earlier Claim by its identifier, and some senders only flag what changed and keep
 * Claim.identifier; 2.2.1 carries the earlier Claim as an entry.
 * @throws PayerError 422 for an update that names no Claim that can be read
 */
export function readChange(request: PasRequest, { version }: PasEndpoint): RequestChange {
  const { claim, bundle, claimUrl } = request;
  const [related, ...more] = claim.related ?? [];
  const cancelsAll = certificationOf(claim) === CANCEL || ((claim.item ?? []).length > 0 && (claim.item ?? []).every(isCancelled));
  const isMarked = cancelsAll || [...(claim.item ?? []), ...(claim.supportingInfo ?? [])].some((part) => isCancelled(part) || extensionByUrl(part, PAS_EXTENSIONS.infoChanged));
  if (!related && !isMarked) return { kind: 'new' };
  if (more.length > 0) throw new PayerError(422, { code: 'structure', text: 'An update changes one earlier Claim.', expression: `${CLAIM}.related` });
  const isDifferential = claim.meta?.security?.some(({ system, code }) => system === CODE_SYSTEMS.observationValue && code === 'SUBSETTED') ?? false;
  const target = entryOf(bundle, related?.claim?.reference, claimUrl)?.resource;
  if (related && version === '2.2.1' && target?.resourceType !== 'Claim') {
    throw new PayerError(422, { code: 'not-found', text: 'The Claim that this update changes must be an entry of the bundle.', expression: `${CLAIM}.related[0].claim` });
  }
  const named = target?.resourceType === 'Claim' ? (target.identifier ?? []) : related?.claim?.identifier ? [related.claim.identifier] : [];
  if (related && named.length === 0) {
    throw new PayerError(422, { code: 'required', text: 'Name the Claim that this update changes by its identifier.', expression: `${CLAIM}.related[0].claim` });
  }
  return { kind: 'update', prior: related ? named : (claim.identifier ?? []), cancelsAll, isDifferential };
}

export function isCancelled({ modifierExtension }: Pick<ClaimItem, 'modifierExtension'>): boolean {
  return modifierExtension?.some(({ url, valueBoolean }) => url === PAS_EXTENSIONS.infoCancelled && valueBoolean === true) ?? false;
}

/** True when the sender says so, or when what is asked for is not what was asked for before. */
export function isChanged(item: ClaimItem, before: ClaimItem): boolean {
  return extensionByUrl(item, PAS_EXTENSIONS.infoChanged) !== undefined || JSON.stringify(whatIsAsked(item)) !== JSON.stringify(whatIsAsked(before));
}

function whatIsAsked({ productOrService, modifier, quantity, unitPrice, servicedDate, servicedPeriod }: ClaimItem): unknown {
  const codes = (concept: ClaimItem['productOrService']) => concept?.coding?.map(({ system, code }) => [system, code]);
  return [codes(productOrService), modifier?.map(codes), quantity?.value, quantity?.unit ?? quantity?.code, unitPrice?.value, servicedDate, servicedPeriod?.start, servicedPeriod?.end];
}

function certificationOf(of: Extensible): string | undefined {
  return extensionByUrl(of, PAS_EXTENSIONS.certificationType)?.valueCodeableConcept?.coding?.[0]?.code;
}

/** UM06 and the priority: what makes the legal clock 72 hours. */
export function isExpedited(claim: Claim): boolean {
  const level = extensionByUrl(claim, PAS_EXTENSIONS.levelOfServiceCode)?.valueCodeableConcept?.coding?.map(({ code }) => code) ?? [];
  return level.some((code) => code === 'U' || code === 'E') || (claim.priority?.coding?.some(({ code }) => code === 'stat') ?? false);
}
