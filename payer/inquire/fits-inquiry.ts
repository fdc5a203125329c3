import type { Claim, ClaimItem, Period } from '@medplum/fhirtypes';
import { type Extensible, extensionByUrl } from '#fhir/base/extension.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import { serviceOf } from '../policy/review-item.ts';
import { isGranted, type ItemDecision, numberOf } from '../submit/item-decision.ts';
import { REVIEW_ACTION } from '../terms.ts';

export interface HeldRequest {
  readonly claim: Claim;
  readonly decisions: ReadonlyMap<number, ItemDecision>;
}

interface HeldItem {
  readonly asked: ClaimItem;
  readonly decision: ItemDecision;
}

/**
 * Whether a request is what the inquiry asks about (PAS §inquiry). Of the root's keys each must fit; several diagnoses are a union. Of the inquiry's
 * items one must fit; an item that names no key fits everything, and so does an inquiry without items (2.2.1).
 */
export function fitsInquiry(inquiry: Claim, held: HeldRequest): boolean {
  const items = (held.claim.item ?? []).flatMap((asked): HeldItem[] => {
    const decision = held.decisions.get(asked.sequence ?? 0);
    return decision ? [{ asked, decision }] : [];
  });
  return (
    items.some((item) => fitsNumbers(inquiry, item)) &&
    overlap(inquiry.billablePeriod, periodOf(held.claim)) &&
    fitsDiagnoses(inquiry, held.claim) &&
    ((inquiry.item ?? []).length === 0 || (inquiry.item ?? []).some((wanted) => items.some((item) => fitsItem(wanted, item))))
  );
}

function fitsNumbers(wanted: Extensible, { decision, asked }: HeldItem): boolean {
  const textOf = (url: string) => extensionByUrl(wanted, url)?.valueString?.trim();
  const codeOf = (of: Extensible, url: string) => extensionByUrl(of, url)?.valueCodeableConcept?.coding?.[0]?.code;
  const authorization = textOf(PAS_EXTENSIONS.authorizationNumber);
  const reference = textOf(PAS_EXTENSIONS.administrationReferenceNumber);
  const action = codeOf(wanted, PAS_EXTENSIONS.reviewActionCode);
  return (
    (authorization === undefined || authorization === numberOf(decision)) &&
    (reference === undefined || reference === decision.referenceNumber) &&
    (action === undefined || (decision.kind !== 'cancelled' && action === REVIEW_ACTION[decision.kind])) &&
    fitsCertification(codeOf(wanted, PAS_EXTENSIONS.certificationType), codeOf(asked, PAS_EXTENSIONS.certificationType), decision)
  );
}

/** UM02 narrows only to what was cancelled: an inquiry repeats the "initial" of its request, which an update may have changed since. */
function fitsCertification(wanted: string | undefined, held: string | undefined, decision: ItemDecision): boolean {
  return wanted !== '3' || held === '3' || decision.kind === 'cancelled';
}

function fitsItem(wanted: ClaimItem, held: HeldItem): boolean {
  const [service, heldService] = [serviceOf(wanted), serviceOf(held.asked)];
  const { decision } = held;
  const granted = isGranted(decision) ? decision : undefined;
  const fitsDay = (name: string, days: Period | undefined) => {
    const { valueDate, valuePeriod } = extensionByUrl(wanted, `${ITEM_CERTIFICATION}${name}`) ?? {};
    const asked = valueDate ? { start: valueDate, end: valueDate } : valuePeriod;
    return asked === undefined || (days !== undefined && overlap(asked, days));
  };
  return (
    fitsNumbers(wanted, held) &&
    (service === undefined || (service.system === heldService?.system && service.code === heldService.code)) &&
    overlap(datesOf(wanted), datesOf(held.asked)) &&
    fitsDay('IssueDate', granted && { start: granted.issued, end: granted.issued }) &&
    fitsDay('ExpirationDate', granted && { start: granted.validity.end, end: granted.validity.end }) &&
    fitsDay('EffectiveDate', granted && { start: granted.validity.start, end: granted.validity.start })
  );
}

const ITEM_CERTIFICATION = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition/extension-itemCertification';

function fitsDiagnoses(inquiry: Claim, held: Claim): boolean {
  const codesOf = ({ diagnosis }: Claim) => (diagnosis ?? []).flatMap(({ diagnosisCodeableConcept }) => diagnosisCodeableConcept?.coding?.flatMap(({ code }) => (code ? [code.replaceAll('.', '').toUpperCase()] : [])) ?? []);
  const wanted = codesOf(inquiry);
  return wanted.length === 0 || codesOf(held).some((code) => wanted.includes(code));
}

function datesOf({ servicedDate, servicedPeriod }: ClaimItem): Period | undefined {
  return servicedDate ? { start: servicedDate, end: servicedDate } : servicedPeriod;
}

/** What the Claim is billed for, else the span of its items' days. */
function periodOf({ billablePeriod, item }: Claim): Period | undefined {
  if (billablePeriod) return billablePeriod;
  const days = (item ?? []).flatMap((one) => [datesOf(one)?.start, datesOf(one)?.end]).filter((day): day is string => day !== undefined).sort();
  const [start] = days;
  const end = days.at(-1);
  return start === undefined || end === undefined ? undefined : { start, end };
}

/** Full dates compare as text. What is not given does not limit. */
function overlap(a: Period | undefined, b: Period | undefined): boolean {
  const startsBefore = (one: Period | undefined, other: Period | undefined) => !one?.start || !other?.end || one.start <= other.end;
  return startsBefore(a, b) && startsBefore(b, a);
}
