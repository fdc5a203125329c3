import type { Patient, Resource } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { isOrder } from '../order/read-requested-service.ts';
import type { RequestedService } from '../order/requested-service.ts';
import { type Chart, MOST_OF_A_KIND } from './evidence.ts';
import { holdCriteria } from './hold-criteria.ts';
import type { Payer } from './payer.ts';
import type { PolicyRevision } from './policy.ts';
import type { ApplicablePolicy, PolicyLibrary } from './policy-library.ts';
import { type CoverageRequirement, type CriterionFinding, mayNeedAuthorization, type UndeterminedCause } from './requirement.ts';

/** Codes of these systems are what a claim would bill: the answer names those it rests on. */
const BILLED: ReadonlySet<string> = new Set([CODE_SYSTEMS.cpt, CODE_SYSTEMS.hcpcs]);

/** What the payer's policies say about one order under one coverage. */
export interface Determination {
  readonly requirement: CoverageRequirement;
  readonly payerId: string | null;
  /** Absent when no policy names the service, or the payer is not known. */
  readonly applicable?: ApplicablePolicy;
  readonly findings: readonly CriterionFinding[];
  /** Requested over the policy's limit; null when the policy has none, or the order asks in another unit. */
  readonly quantityToLimitRatio: number | null;
  /** The order names who requests it, in a way that can be looked up. */
  readonly requesterKnown: boolean;
}

export interface OrderToDetermine {
  readonly order: Resource;
  /** Undefined for a resource that asks for nothing with a code, such as most CommunicationRequests. */
  readonly service: RequestedService | undefined;
  /** Relative reference, "Coverage/123". */
  readonly coverage: string;
  /** Why nothing can be determined under the coverage; then nothing else is looked at. */
  readonly coverageFault?: { readonly cause: UndeterminedCause; readonly reason: string } | undefined;
  /** Undefined: the coverage's payer is none that is configured here. */
  readonly payer: Pick<Payer, 'id' | 'contact'> | undefined;
  readonly patient: Patient | undefined;
  /** Read only when a policy with criteria applies. */
  readonly chart: () => Chart;
  /** Calendar day in the payer's time zone. */
  readonly today: string;
  readonly assertionId: string;
}

/**
 * The policy revision that names the order's service for that payer, on that day, at the patient's home. Where several codes are asked for, such as by an
 * appointment for several orders, the strictest: an authorization that one of them needs is needed.
 */
export function findPolicy(library: PolicyLibrary, { service, payer, patient, today }: Pick<OrderToDetermine, 'service' | 'payer' | 'patient' | 'today'>): ApplicablePolicy | undefined {
  if (!service || !payer) return undefined;
  const found = service.codings.flatMap((coding) => policyFor(library, coding, { payer, patient, today }) ?? []);
  return found.toSorted((a, b) => strictness(b) - strictness(a))[0];
}

/** An authorization is needed, or nothing is covered. */
const STRICT = 2;
const UNREAD_BASIS = 'An order that the appointment is based on could not be read, so it is not known what all it asks for.';
const OLDER_LEFT_OUT = `The record holds more than ${MOST_OF_A_KIND} entries of a kind that the policy looks at: only the newest were looked at.`;

function strictness({ revision: { covered, authorization } }: ApplicablePolicy): number {
  if (covered === 'not-covered') return 3;
  if (authorization === 'auth-needed' || authorization === 'performpa') return STRICT;
  return covered === 'conditional' || authorization === 'conditional' ? 1 : 0;
}

function policyFor(library: PolicyLibrary, { system, code }: RequestedService['codings'][number], { payer, patient, today }: { readonly payer: Pick<Payer, 'id'>; readonly patient: Patient | undefined; readonly today: string }): ApplicablePolicy | undefined {
  return library.findFor({ payerId: payer.id, system, code, date: today, state: stateOf(patient) });
}

export function determine(library: PolicyLibrary, asked: OrderToDetermine): Determination {
  const { service, payer, patient, today } = asked;
  const base = { coverage: asked.coverage, date: today, assertionId: asked.assertionId, docPurpose: [], infoNeeded: [], questionnaires: [], ...(payer?.contact ? { contacts: [payer.contact] } : {}) };
  const requesterKnown = isRequesterKnown(asked.order);
  const without = (requirement: Pick<CoverageRequirement, 'covered' | 'paNeeded' | 'reasons'> & Partial<CoverageRequirement>): Determination => ({
    requirement: { ...base, ...requirement },
    payerId: payer?.id ?? null,
    findings: [],
    quantityToLimitRatio: null,
    requesterKnown,
  });
  if (asked.coverageFault) return without({ ...conditionalOn('OTH', asked.coverageFault.reason), cause: asked.coverageFault.cause });
  if (!payer) return without(conditionalOn('OTH', 'The payer of this coverage is not one whose policies are held here.'));
  if (!service) return without({ ...byDefault(library), reasons: ['It asks for nothing that could need an authorization.'] });
  if ('doNotPerform' in asked.order && asked.order.doNotPerform === true) return without({ ...byDefault(library), reasons: ['The order says that the service is not to be performed.'] });
  const applicable = findPolicy(library, asked);
  // What is not known cannot be said to need nothing; what is known to need an authorization needs it.
  if (service.inPart && (!applicable || strictness(applicable) < STRICT)) return without(conditionalOn('OTH', UNREAD_BASIS));
  if (service.codings.length === 0) return without(conditionalOn('OTH', 'The order carries no code under which policies could be looked up.'));
  if (!applicable) {
    const elsewhere = stateOf(patient) === undefined && service.codings.some(({ system, code }) => library.namesInSomeStates({ payerId: payer.id, system, code, date: today }));
    if (elsewhere) return without(conditionalOn('location', "The rule depends on the state in which the patient lives, and the patient's address names none."));
    return without({ ...byDefault(library), reasons: ['No policy of this payer names this service.'] });
  }
  const { policy, revision } = applicable;
  const findings = revision.criteria.length === 0 ? [] : holdCriteria(revision.criteria, { chart: asked.chart(), others: [asked.order, ...(patient ? [patient] : [])], today });
  const reasons = [revision.reason ?? `${policy.title}: policy of ${revision.effectiveFrom}.`, ...(service.inPart ? [UNREAD_BASIS] : []), ...(findings.some(({ olderLeftOut }) => olderLeftOut) ? [OLDER_LEFT_OUT] : [])];
  const billingCodes = service.codings.filter((coding) => BILLED.has(coding.system) && policyFor(library, coding, { payer, patient, today })?.revision === revision);
  return {
    payerId: payer.id,
    applicable,
    requirement: { ...base, ...requirementOf(revision), ...(billingCodes.length > 0 ? { billingCodes } : {}), reasons, policy: { policyId: policy.id, revision: revision.revision } },
    findings,
    quantityToLimitRatio: ratioToLimit(service, revision),
    requesterKnown,
  };
}

/** With one more reason in words. */
export function withReason(determination: Determination, reason: string): Determination {
  const { requirement } = determination;
  return { ...determination, requirement: { ...requirement, reasons: [...requirement.reasons, reason] } };
}

/** The answer when not enough is known. CRD 2.0.1 has no code for it: conditional, and why in words. */
export function conditionalOn(infoNeeded: CoverageRequirement['infoNeeded'][number], reason: string): Pick<CoverageRequirement, 'covered' | 'paNeeded' | 'infoNeeded' | 'reasons'> {
  return { covered: 'conditional', paNeeded: 'conditional', infoNeeded: [infoNeeded], reasons: [reason] };
}

function byDefault({ default: { covered, authorization } }: PolicyLibrary): Pick<CoverageRequirement, 'covered' | 'paNeeded'> {
  return covered === 'not-covered' ? { covered } : { covered, paNeeded: authorization };
}

function requirementOf(revision: PolicyRevision): Pick<CoverageRequirement, 'covered' | 'paNeeded' | 'docNeeded' | 'docPurpose' | 'infoNeeded' | 'questionnaires' | 'details'> {
  const { covered, authorization, documentation, infoNeeded = [], questionnaires } = revision;
  const limit = revision.decision?.limit;
  return {
    covered,
    ...(covered === 'not-covered' ? {} : { paNeeded: authorization }),
    ...(documentation ? { docNeeded: documentation, docPurpose: [revision.documentationPurpose ?? (mayNeedAuthorization(authorization) ? 'withpa' : 'retain-doc')] } : { docPurpose: [] }),
    infoNeeded,
    questionnaires,
    ...(limit && covered !== 'not-covered' ? { details: [{ code: 'allowed-quantity', value: { value: limit.max, unit: limit.unit }, category: 'limitation' as const }] } : {}),
  };
}

function ratioToLimit(service: RequestedService, revision: PolicyRevision): number | null {
  const limit = revision.decision?.limit;
  if (!limit || !service.quantity || sameUnit(service.quantity.unit) !== sameUnit(limit.unit)) return null;
  return service.quantity.value / limit.max;
}

/** "month", "months" and UCUM "mo" are one unit. */
function sameUnit(unit: string | undefined): string {
  const plain = (unit ?? '').toLowerCase().replace(/s$/, '');
  return { mo: 'month', d: 'day', wk: 'week', '{unit}': 'unit' }[plain] ?? plain;
}

function isRequesterKnown(order: Resource): boolean {
  if (!isOrder(order)) return order.resourceType === 'CommunicationRequest' && order.requester?.reference !== undefined;
  const requester = order.resourceType === 'NutritionOrder' ? order.orderer : order.resourceType === 'VisionPrescription' ? order.prescriber : order.requester;
  return requester?.reference !== undefined;
}

/** Two-letter state of the patient's home address. */
function stateOf(patient: Patient | undefined): string | undefined {
  const addresses = (patient?.address ?? []).filter((address) => address.use !== 'old' && address.use !== 'billing');
  const state = (addresses.find((address) => address.use === 'home') ?? addresses[0])?.state?.trim().toUpperCase();
  return state && /^[A-Z]{2}$/.test(state) ? state : undefined;
}
