import type { Patient, PractitionerRole } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import type { DenialRiskFacts } from '../learning/denial-risk.ts';
import type { PriorAuthCase } from '../case.ts';
import { procedureOf } from '../learning/procedure.ts';
import type { RequestedService } from '../order/requested-service.ts';
import type { Determination } from './determine.ts';

/** What only a case, or a wider look at the record, tells. */
export interface CaseFacts {
  readonly follows?: PriorAuthCase['follows'];
  /** NUCC taxonomy code. */
  readonly requesterSpecialty?: string | undefined;
}

/** What the denial-risk model may look at for one order. `today` is a calendar day, YYYY-MM-DD. Without `ofCase` (in a hook) what only a case tells stays unknown. */
export function toDenialRiskFacts(determination: Determination, service: RequestedService, patient: Patient | undefined, today: string, ofCase?: CaseFacts): DenialRiskFacts {
  const { findings, applicable, requirement } = determination;
  const count = (status: (typeof findings)[number]['status']): number => findings.filter((finding) => finding.status === status).length;
  const newest = findings.flatMap((finding) => finding.evidence.flatMap((evidence) => evidence.date ?? [])).sort().at(-1);
  return {
    payerId: determination.payerId,
    policyId: applicable?.policy.id ?? null,
    serviceFamily: applicable?.policy.family ?? null,
    criteriaMet: count('met'),
    criteriaNotMet: count('not-met'),
    criteriaUnknown: count('unknown'),
    urgent: service.priority !== 'routine',
    patientAgeYears: ageInYears(patient?.birthDate, today),
    newestEvidenceAgeDays: newest === undefined ? null : daysBetween(newest, today),
    hasReasonCode: service.reasonCodes.length > 0 || service.reasonReferences.length > 0,
    quantityToLimitRatio: determination.quantityToLimitRatio,
    paNeeded: { 'auth-needed': true, performpa: true, 'no-auth': false, satisfied: false, conditional: null }[requirement.paNeeded ?? 'no-auth'],
    requesterKnown: determination.requesterKnown,
    procedure: procedureOf(service),
    requesterSpecialty: ofCase?.requesterSpecialty ?? null,
    evidenceCount: new Set(findings.flatMap((finding) => finding.evidence.map(({ reference }) => reference))).size,
    reasonCodeCount: service.reasonCodes.length,
    renewal: ofCase ? ofCase.follows?.why === 'renewal' : null,
    askedAgain: ofCase ? ofCase.follows?.why === 'denied' : null,
  };
}

/** The clinician's NUCC taxonomy code, where the role names one. */
export function specialtyCode(role: PractitionerRole | undefined): string | undefined {
  return (role?.specialty ?? []).flatMap(({ coding = [] }) => coding).find(({ system, code }) => system === CODE_SYSTEMS.nuccTaxonomy && code)?.code;
}

/** Completed years; null unless the full birth date is known. */
function ageInYears(birthDate: string | undefined, today: string): number | null {
  if (birthDate === undefined || !/^\d{4}-\d{2}-\d{2}$/.test(birthDate)) return null;
  const years = Number(today.slice(0, 4)) - Number(birthDate.slice(0, 4)) - (today.slice(5) < birthDate.slice(5) ? 1 : 0);
  return years >= 0 ? years : null;
}

/** Whole days from the calendar day of a FHIR date or dateTime to `today`, 0 for a later one; null for a date without a day. */
function daysBetween(date: string, today: string): number | null {
  const day = /^\d{4}-\d{2}-\d{2}/.exec(date)?.[0];
  return day === undefined ? null : Math.max(0, Math.round((Date.parse(today) - Date.parse(day)) / 86_400_000));
}
