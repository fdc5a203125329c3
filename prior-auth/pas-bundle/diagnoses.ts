import type { CodeableConcept, Condition } from '@medplum/fhirtypes';
import { canonicalCodeSystem, CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import type { DiagnosisMap } from './diagnosis-map.ts';
import { fullDate } from './full-date.ts';
import { problem } from './members.ts';
import type { AskedOrder, DiagnosisQuestion, SubmissionInput, SubmissionProblem } from './submission-input.ts';

export interface ClaimDiagnosis {
  /** ICD-10-CM, with its dot. */
  readonly code: string;
  readonly display?: string;
  /** YYYY-MM-DD. */
  readonly recordedDate?: string;
}

export type Diagnoses =
  /** `unmapped`: further reasons, as the record words them, that have no ICD-10-CM code and stay behind. */
  | { readonly kind: 'found'; readonly diagnoses: readonly ClaimDiagnosis[]; readonly unmapped: readonly string[] }
  | { readonly kind: 'problem'; readonly problems: readonly SubmissionProblem[] };

type Reason = { readonly kind: 'coded'; readonly diagnosis: ClaimDiagnosis } | { readonly kind: 'asked'; readonly question: DiagnosisQuestion };

/**
 * The order's reasons in ICD-10-CM (required binding of Claim.diagnosis): as the record codes them, as the map says, or as a person chose. Where none of
 * them can be sent, the conditions that answers were taken from or the payer's criteria rest on. An order with no reason at all is sent without a diagnosis: the profile allows it,
 * and nothing is guessed from the problem list.
 */
export function findDiagnoses({ service, order }: AskedOrder, { evidence, criteria = [], supporting, diagnosisChoices = {} }: Pick<SubmissionInput, 'evidence' | 'criteria' | 'supporting' | 'diagnosisChoices'>, map: DiagnosisMap): Diagnoses {
  const conditions: ReadonlyMap<string, Condition> = new Map(supporting.flatMap((resource) => (resource.resourceType === 'Condition' && resource.id ? [[`Condition/${resource.id}`, resource] as const] : [])));
  const keyOf = (reference: string): string => relativeReference(reference) ?? reference;
  const read = (key: string, concept: CodeableConcept | undefined, display: string): Reason => {
    const recorded = diagnosisOf(concept);
    if (recorded) return { kind: 'coded', diagnosis: recorded };
    const chosen = dotted(diagnosisChoices[key] ?? '');
    if (chosen) return { kind: 'coded', diagnosis: { code: chosen, ...(concept?.text ? { display: concept.text } : {}) } };
    const candidates = snomedCodes(concept).flatMap((code) => map.candidates(code));
    const [only] = candidates;
    if (only && candidates.length === 1) return { kind: 'coded', diagnosis: only };
    return { kind: 'asked', question: { reason: key, display, candidates } };
  };
  const ofCondition = (reference: string): Reason[] => {
    const condition = conditions.get(keyOf(reference));
    if (condition && isRefuted(condition)) return [];
    const found = read(keyOf(reference), condition?.code, wordsOf(condition?.code) ?? `${keyOf(reference)}, which could not be read`);
    const recordedDate = fullDate(condition?.recordedDate);
    return [found.kind === 'coded' && recordedDate ? { ...found, diagnosis: { ...found.diagnosis, recordedDate } } : found];
  };
  const inOrder = 'reasonCode' in order ? (order.reasonCode ?? []) : [];
  const reasons = [
    ...inOrder.flatMap((concept) => {
      const [first] = concept.coding ?? [];
      return first?.code ? [read(`${canonicalCodeSystem(first.system ?? '')}|${first.code.trim()}`, concept, wordsOf(concept) ?? first.code)] : [];
    }),
    ...service.reasonReferences.filter((reference) => reference.includes('Condition/')).flatMap(ofCondition),
  ];
  const ofOrder = codedIn(reasons);
  const diagnoses = distinct(ofOrder.length > 0 ? ofOrder : codedIn([...evidence, ...criteria].filter(({ reference }) => conditions.has(keyOf(reference))).flatMap(({ reference }) => ofCondition(reference))));
  const questions = reasons.flatMap((reason) => (reason.kind === 'asked' ? [reason.question] : []));
  if (diagnoses.length === 0 && questions.length > 0) return { kind: 'problem', problems: questions.map(toProblem) };
  return { kind: 'found', diagnoses, unmapped: questions.map(({ display }) => display) };
}

/** One list for the Claim, and for each item its sequences in it. */
export function joinDiagnoses(ofItems: readonly (readonly ClaimDiagnosis[])[]): { readonly all: readonly ClaimDiagnosis[]; readonly sequences: readonly (readonly number[])[] } {
  const all = distinct(ofItems.flat());
  const sequenceOf = ({ code }: ClaimDiagnosis): number => all.findIndex((each) => each.code === code) + 1;
  return { all, sequences: ofItems.map((diagnoses) => diagnoses.map(sequenceOf)) };
}

function toProblem(question: DiagnosisQuestion): SubmissionProblem {
  const { problem: base } = problem(
    'DIAGNOSIS_NOT_ICD10CM',
    `The reason “${question.display}” has no ICD-10-CM code, and payers accept no other.`,
    question.candidates.length > 0 ? 'Choose the ICD-10-CM code that it means, or code the diagnosis in the EHR.' : 'Enter its ICD-10-CM code here, or code the diagnosis in the EHR.',
  );
  return { ...base, diagnosis: question };
}

function codedIn(reasons: readonly Reason[]): readonly ClaimDiagnosis[] {
  return reasons.flatMap((reason) => (reason.kind === 'coded' ? [reason.diagnosis] : []));
}

function distinct(diagnoses: readonly ClaimDiagnosis[]): readonly ClaimDiagnosis[] {
  return diagnoses.filter(({ code }, index) => diagnoses.findIndex((each) => each.code === code) === index);
}

function isRefuted({ verificationStatus }: Condition): boolean {
  return verificationStatus?.coding?.some(({ code }) => code === 'refuted' || code === 'entered-in-error') ?? false;
}

function wordsOf(concept: CodeableConcept | undefined): string | undefined {
  return concept?.text?.trim() || concept?.coding?.map(({ display }) => display?.trim()).find(Boolean);
}

function snomedCodes(concept: CodeableConcept | undefined): readonly string[] {
  return (concept?.coding ?? []).flatMap(({ system, code }) => (canonicalCodeSystem(system ?? '') === CODE_SYSTEMS.snomed && code ? [code.trim()] : []));
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
