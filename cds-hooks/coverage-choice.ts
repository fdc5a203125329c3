import type { Coverage, Reference, Resource } from '@medplum/fhirtypes';
import { referenceTo, relativeReference } from '#fhir/base/reference.ts';
import { appointmentBases } from '#prior-auth/order/read-focus-service.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { UndeterminedCause } from '#prior-auth/coverage-requirement/requirement.ts';
import type { CoverageOfPayer, KnownCoverages } from './record.ts';

/** The coverage that an answer is given under. */
export type CoverageChoice =
  | {
      readonly kind: 'chosen';
      /** "Coverage/123". */
      readonly reference: string;
      /** Undefined when the order names it and it could not be read. */
      readonly coverage: Coverage | undefined;
      readonly payer: Payer | undefined;
      /** Payers of the patient's other active coverages, by name where they are known: nobody has answered for them. */
      readonly otherPayers: readonly string[];
      /** What the answer has to say about the choice. */
      readonly remark?: string;
      /** Why nothing can be determined under it. */
      readonly fault?: { readonly cause: UndeterminedCause; readonly reason: string };
    }
  /** The patient has none, or pays without insurance. */
  | { readonly kind: 'none'; readonly why: string }
  | { readonly kind: 'unreachable' };

/** The calendar day at a payer, or where none is known: of an instant in milliseconds, or of now. */
export type DayAt = (payer: Payer | undefined, instant?: number) => string;

/**
 * The focus's own insurance (namedCoverages) first, then the coverage billed first. Where only a part of the coverages is known, an active one of them serves;
 * that there is none they do not say.
 */
export function chooseCoverage(insurance: readonly string[], known: KnownCoverages, dayAt: DayAt): CoverageChoice {
  if (known.searched !== 'part') return chooseAmong(insurance, known.found, known.searched === 'all', dayAt);
  const choice = chooseAmong(insurance, known.found, true, dayAt);
  if (choice.kind !== 'chosen' || choice.fault?.cause === 'no-active-coverage') return chooseAmong(insurance, known.found, false, dayAt);
  return insurance.includes(choice.reference) ? choice : { ...choice, remark: [...(choice.remark === undefined ? [] : [choice.remark]), "Not all of the patient's coverages could be read."].join(' ') };
}

function chooseAmong(insurance: readonly string[], found: readonly CoverageOfPayer[], searched: boolean, dayAt: DayAt): CoverageChoice {
  const coverages = searched ? found : found.filter(({ coverage }) => insurance.includes(referenceTo(coverage) ?? ''));
  if (!searched && coverages.length === 0) {
    const [reference] = insurance.filter((each) => each.startsWith('Coverage/'));
    if (!reference) return { kind: 'unreachable' };
    return { kind: 'chosen', reference, coverage: undefined, payer: undefined, otherPayers: [], fault: { cause: 'technical', reason: 'The coverage could not be read, so its payer is not known.' } };
  }
  const insured = coverages.filter(({ coverage }) => coverage.id !== undefined && !isSelfPay(coverage)).toSorted((a, b) => (a.coverage.order ?? 1) - (b.coverage.order ?? 1));
  const ofFocus = (candidates: readonly CoverageOfPayer[]) => candidates.find(({ coverage }) => insurance.includes(referenceTo(coverage) ?? '')) ?? candidates[0];
  const actives = insured.filter(({ coverage, payer }) => isActive(coverage, (instant) => dayAt(payer, instant)));
  const active = ofFocus(actives);
  if (active) {
    const { coverage, payer, payerUnreadable } = active;
    const passedOver = insurance.length > 0 && !insurance.includes(`Coverage/${coverage.id}`);
    return {
      kind: 'chosen', reference: `Coverage/${coverage.id}`, coverage, payer, otherPayers: otherPayers(active, actives),
      ...(passedOver ? { remark: 'The coverage that the order names is not active or could not be read: this is under the active coverage on record.' } : {}),
      ...(payerUnreadable ? { fault: { cause: 'technical' as const, reason: "The coverage's payer could not be read." } } : {}),
    };
  }
  const inactive = ofFocus(insured);
  if (inactive) {
    const { coverage, payer } = inactive;
    return { kind: 'chosen', reference: `Coverage/${coverage.id}`, coverage, payer, otherPayers: [], fault: { cause: 'no-active-coverage', reason: 'The coverage on record is not active.' } };
  }
  if (coverages.some(({ coverage }) => coverage.id === undefined && !isSelfPay(coverage))) return { kind: 'none', why: 'The coverage has no id: an answer could not refer to it.' };
  return { kind: 'none', why: coverages.length > 0 ? 'The patient pays without insurance: there is no payer to answer for.' : 'The patient has no active coverage: this service answers for active coverages only.' };
}

/** "Coverage/123" of what an order, or the orders of an appointment, say they are insured by; what is named in another way as it is written. */
export function namedCoverages(focus: Resource, lookUp: (reference: string) => Resource | undefined = () => undefined): readonly string[] {
  if (focus.resourceType === 'Appointment') return appointmentBases(focus, lookUp).flatMap((base) => (base ? namedCoverages(base) : []));
  return insuranceOf(focus).flatMap(({ reference }) => (reference ? [relativeReference(reference) ?? reference] : []));
}

/** A second coverage with the same payer is answered by the same payer's policies and is not named. */
function otherPayers(chosen: CoverageOfPayer, actives: readonly CoverageOfPayer[]): readonly string[] {
  const nameOf = ({ payer, coverage }: CoverageOfPayer): string => payer?.name ?? coverage.payor?.[0]?.display ?? 'another payer';
  const others = actives.filter((each) => each !== chosen && (each.payer === undefined || each.payer.id !== chosen.payer?.id));
  return [...new Set(others.map(nameOf))];
}

function insuranceOf(focus: Resource): readonly Reference[] {
  switch (focus.resourceType) {
    case 'ServiceRequest':
    case 'DeviceRequest':
    case 'MedicationRequest':
      return focus.insurance ?? [];
    default:
      return [];
  }
}

function isActive({ status, period }: Coverage, dayOf: (instant?: number) => string): boolean {
  if ((status ?? 'active') !== 'active') return false;
  const today = dayOf();
  // An instant is on a day of the payer's; what has no time is compared as far as it is written: "2026" is active in all of 2026.
  const day = (text: string): string => (text.includes('T') && !Number.isNaN(Date.parse(text)) ? dayOf(Date.parse(text)) : text.slice(0, 10));
  const [start, end] = [day(period?.start ?? ''), period?.end === undefined ? undefined : day(period.end)];
  return start <= today && (end === undefined || today.slice(0, end.length) <= end);
}

function isSelfPay({ type, payor }: Coverage): boolean {
  if (type?.coding?.some(({ system, code }) => system === 'http://terminology.hl7.org/CodeSystem/coverage-selfpay' && code === 'pay')) return true;
  return payor !== undefined && payor.length > 0 && payor.every(({ reference }) => /^(?:.*\/)?(?:Patient|RelatedPerson)\//.test(reference ?? ''));
}
