import type { CodeableConcept, Extension, Resource } from '@medplum/fhirtypes';
import { extensionByUrl, extensionsByUrl } from '#fhir/base/extension.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import type { AskedFocus } from './asked-focus.ts';
import { informationForm } from './information-form.ts';
import { withPayersReason } from './payers-reason.ts';
import { type CoverageRequirement, inLaterCodes, type RequirementContact, type RequirementDetail, SHARED_DETAILS } from '#prior-auth/coverage-requirement/requirement.ts';

export type PayersWord =
  | { readonly kind: 'said'; readonly requirement: CoverageRequirement }
  /** Why what came cannot be taken as an answer to what was asked. */
  | { readonly kind: 'not-usable'; readonly why: 'changed' | 'other-coverage' | 'unreadable' | 'breaks-rules' | 'contradicts-itself' };

/** A foreign service's answer on one resource. Of it nothing is taken but the coverage-information under the coverage that was asked about. */
export function readPayersWord(returned: Resource, asked: Pick<AskedFocus, 'resource' | 'coverage'>): PayersWord {
  try {
    return wordIn(returned, asked);
  } catch (error) {
    // A value of another type than FHIR gives it.
    if (error instanceof PriorAuthError || error instanceof TypeError) return { kind: 'not-usable', why: 'unreadable' };
    throw error;
  }
}

/** @throws PriorAuthError, TypeError when a coverage-information cannot be read. */
function wordIn(returned: Resource, { resource, coverage }: Pick<AskedFocus, 'resource' | 'coverage'>): PayersWord {
  if (!isPartOf(withoutAnswers(returned), withoutAnswers(resource))) return { kind: 'not-usable', why: 'changed' };
  const informations = extensionsByUrl(returned as { readonly extension?: readonly Extension[] }, CRD_URLS.coverageInformation);
  const ofCoverage = informations.filter((each) => relativeReference(extensionByUrl(each, 'coverage')?.valueReference?.reference ?? '') === coverage);
  if (ofCoverage.length === 0) return { kind: 'not-usable', why: 'other-coverage' };
  if (!ofCoverage.every((information) => informationForm.safeParse(information).success)) return { kind: 'not-usable', why: 'unreadable' };
  const read = ofCoverage.flatMap((information) => readRequirement({ extension: [information] }).map((requirement) => withPayersReason({ ...requirement, coverage, ...moreOf(information) }, information)));
  if (emissionFaults(read).length > 0) return { kind: 'not-usable', why: 'breaks-rules' };
  const [first, ...others] = read;
  if (!first) return { kind: 'not-usable', why: 'unreadable' };
  // Several rules for one coverage: what they differ in cannot be told from one another in one answer of ours, unless they agree on what matters.
  if (others.some((each) => each.covered !== first.covered || each.paNeeded !== first.paNeeded)) return { kind: 'not-usable', why: 'contradicts-itself' };
  return { kind: 'said', requirement: others.reduce(together, first) };
}

function together(a: CoverageRequirement, b: CoverageRequirement): CoverageRequirement {
  const both = <T>(x: readonly T[] = [], y: readonly T[] = []): readonly T[] => [...new Map([...x, ...y].map((each) => [JSON.stringify(each), each])).values()];
  const docNeeded = a.docNeeded && b.docNeeded && a.docNeeded !== b.docNeeded ? 'both' : (a.docNeeded ?? b.docNeeded);
  const [laterA, laterB] = [inLaterCodes(a), inLaterCodes(b)];
  return {
    ...a,
    ...(docNeeded ? { docNeeded } : {}),
    docPurpose: both(a.docPurpose, b.docPurpose),
    infoNeeded: both(a.infoNeeded, b.infoNeeded),
    ...(a.inLaterCodes || b.inLaterCodes ? { inLaterCodes: { docNeeded: both(laterA.docNeeded, laterB.docNeeded), infoNeeded: both(laterA.infoNeeded, laterB.infoNeeded) } } : {}),
    reasons: both(a.reasons, b.reasons),
    questionnaires: both(a.questionnaires, b.questionnaires),
    details: both(a.details, b.details),
    billingCodes: both(a.billingCodes, b.billingCodes),
    dependencies: both(a.dependencies, b.dependencies),
    contacts: both(a.contacts, b.contacts),
  };
}

/** The parts that travel along without deciding anything; what cannot be read of them is left out. */
function moreOf(information: Extension): Pick<CoverageRequirement, 'billingCodes' | 'details' | 'dependencies' | 'contacts'> {
  const all = <T>(url: string, value: (extension: Extension) => readonly T[]): readonly T[] => extensionsByUrl(information, url).flatMap(value);
  return {
    billingCodes: all('billingCode', ({ valueCoding: coding }) => (coding?.system && coding.code ? [{ system: coding.system, code: coding.code, ...(coding.display ? { display: coding.display } : {}) }] : [])),
    details: all('detail', readDetail),
    dependencies: all('dependency', ({ valueReference }) => [relativeReference(valueReference?.reference ?? '')].filter((each) => each !== undefined)),
    contacts: all('contact', readContact),
  };
}

const CATEGORIES = { 'cat-limitation': 'limitation', 'cat-decisional': 'decisional', 'cat-other': 'other' } as const;

function readDetail(detail: Extension): readonly RequirementDetail[] {
  const concept = extensionByUrl(detail, 'code')?.valueCodeableConcept;
  const given = extensionByUrl(detail, 'value');
  const value = given?.valueString ?? (given?.valueUrl === undefined ? undefined : { url: given.valueUrl }) ?? given?.valueBoolean ?? given?.valueQuantity ?? given?.valuePeriod;
  const qualification = extensionByUrl(detail, 'qualification')?.valueString;
  const category = CATEGORIES[extensionByUrl(detail, 'category')?.valueCode as keyof typeof CATEGORIES];
  return concept === undefined || value === undefined ? [] : [{ code: detailCode(concept), value, ...(qualification ? { qualification } : {}), ...(category ? { category } : {}) }];
}

/** A code that has another system in another version is told from those that mean the same in each. */
function detailCode(concept: CodeableConcept): RequirementDetail['code'] {
  const ofCrd = concept.coding?.find(({ system }) => system === CRD_URLS.codesTemp || system === CRD_URLS.coverageDetails)?.code;
  return SHARED_DETAILS.find((each) => each === ofCrd) ?? concept;
}

const TELECOM = ['phone', 'fax', 'email', 'url'] as const;

/** A ContactPoint up to 2.1, a ContactDetail from 2.2 on. */
function readContact({ valueContactPoint, valueContactDetail }: Extension): readonly RequirementContact[] {
  const telecom = [...(valueContactPoint ? [valueContactPoint] : []), ...(valueContactDetail?.telecom ?? [])].flatMap(({ system, value }) => {
    const known = TELECOM.find((each) => each === system);
    return known && value ? [{ system: known, value }] : [];
  });
  return telecom.length === 0 ? [] : [{ ...(valueContactDetail?.name ? { name: valueContactDetail.name } : {}), telecom }];
}

function withoutAnswers(resource: Resource): object {
  const { meta: _meta, text: _text, extension = [], ...rest } = resource as Resource & { readonly text?: unknown; readonly extension?: readonly Extension[] };
  const others = extension.filter(({ url }) => url !== CRD_URLS.coverageInformation);
  return others.length > 0 ? { ...rest, extension: others } : rest;
}

/** A service may leave out what it does not know. What it changes or adds makes the answer one to another order. */
function isPartOf(returned: unknown, sent: unknown): boolean {
  if (Array.isArray(returned)) return Array.isArray(sent) && returned.length === sent.length && returned.every((each, i) => isPartOf(each, sent[i]));
  if (typeof returned !== 'object' || returned === null) return returned === sent;
  if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) return false;
  const known = sent as Readonly<Record<string, unknown>>;
  return Object.entries(returned).every(([key, value]) => isPartOf(value, known[key]));
}
