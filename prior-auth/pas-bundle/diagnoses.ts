import type { CodeableConcept, Condition } from '@medplum/fhirtypes';
import { canonicalCodeSystem, CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import type { RequestedService } from '../order/requested-service.ts';
import { fullDate } from './full-date.ts';
import { problem } from './members.ts';
import type { SubmissionInput, SubmissionProblem } from './submission-input.ts';

export interface ClaimDiagnosis {
  /** ICD-10-CM, with its dot. */
  readonly code: string;
  readonly display?: string;
  /** YYYY-MM-DD. */
  readonly recordedDate?: string;
}

/** X12 278 keeps the first twelve. */
const MOST_DIAGNOSES = 12;

export type Diagnoses = { readonly kind: 'found'; readonly diagnoses: readonly ClaimDiagnosis[] } | { readonly kind: 'problem'; readonly problem: SubmissionProblem };

/**
 * The order's reasons in ICD-10-CM (required binding of Claim.diagnosis); where the order names none that can be sent, the conditions
 * that answers were taken from. An order with no reason at all is sent without a diagnosis: the profile allows it, and nothing is guessed from the problem list.
 */
export function findDiagnoses(service: RequestedService, { evidence, supporting }: Pick<SubmissionInput, 'evidence' | 'supporting'>): Diagnoses {
  const conditions: ReadonlyMap<string, Condition> = new Map(supporting.flatMap((resource) => (resource.resourceType === 'Condition' && resource.id ? [[`Condition/${resource.id}`, resource] as const] : [])));
  const conditionOf = (reference: string): Condition | undefined => conditions.get(relativeReference(reference) ?? reference);
  const reasons = [
    ...service.reasonCodes.flatMap((coding) => diagnosisOf({ coding: [coding] }) ?? []),
    ...service.reasonReferences.flatMap((reference) => ofCondition(conditionOf(reference)) ?? []),
  ];
  const found = reasons.length > 0 ? reasons : evidence.flatMap(({ reference }) => ofCondition(conditionOf(reference)) ?? []);
  const namesReason = service.reasonCodes.length > 0 || service.reasonReferences.some((reference) => reference.includes('Condition/'));
  if (found.length === 0 && namesReason) {
    return problem('DIAGNOSIS_NOT_ICD10CM', 'The reason of the order has no ICD-10-CM code, and payers accept no other.', 'Give the diagnosis of the order an ICD-10-CM code in the EHR.');
  }
  return { kind: 'found', diagnoses: [...new Map(found.map((diagnosis) => [diagnosis.code, diagnosis])).values()].slice(0, MOST_DIAGNOSES) };
}

/** One list for the Claim, and for each item its sequences in it. X12 keeps the first twelve. */
export function joinDiagnoses(ofItems: readonly (readonly ClaimDiagnosis[])[]): { readonly all: readonly ClaimDiagnosis[]; readonly sequences: readonly (readonly number[])[] } {
  const all = [...new Map(ofItems.flat().map((diagnosis) => [diagnosis.code, diagnosis])).values()].slice(0, MOST_DIAGNOSES);
  const sequenceOf = ({ code }: ClaimDiagnosis): number => all.findIndex((each) => each.code === code) + 1;
  return { all, sequences: ofItems.map((diagnoses) => diagnoses.map(sequenceOf).filter((sequence) => sequence > 0)) };
}

function ofCondition(condition: Condition | undefined): ClaimDiagnosis | undefined {
  const isRefuted = condition?.verificationStatus?.coding?.some(({ code }) => code === 'refuted' || code === 'entered-in-error');
  if (!condition || isRefuted) return undefined;
  const recordedDate = fullDate(condition.recordedDate);
  const diagnosis = diagnosisOf(condition.code);
  return diagnosis && { ...diagnosis, ...(recordedDate === undefined ? {} : { recordedDate }) };
}

function diagnosisOf(concept: CodeableConcept | undefined): ClaimDiagnosis | undefined {
  for (const { system, code, display } of concept?.coding ?? []) {
    const icd10 = canonicalCodeSystem(system ?? '') === CODE_SYSTEMS.icd10cm ? dotted(code ?? '') : undefined;
    if (icd10) return { code: icd10, ...(display?.trim() ? { display: display.trim() } : {}) };
  }
  return undefined;
}

/** Records also write "J449" and " j44.9". Undefined for what cannot be an ICD-10-CM code. */
function dotted(code: string): string | undefined {
  const plain = code.replace(/[\s.]/g, '').toUpperCase();
  if (!/^[A-Z]\d[0-9A-Z][0-9A-Z]{0,4}$/.test(plain)) return undefined;
  return plain.length > 3 ? `${plain.slice(0, 3)}.${plain.slice(3)}` : plain;
}
