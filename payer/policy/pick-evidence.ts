import type { Bundle, BundleEntry, CodeableConcept, Resource } from '@medplum/fhirtypes';
import type { PolicyCriterion } from './read-policies.ts';

/** Types of evidence that a policy can name. */
type Evidence = Extract<Resource, { resourceType: 'Condition' | 'Observation' | 'Procedure' | 'DiagnosticReport' | 'DocumentReference' | 'MedicationRequest' }>;

const NOT_COUNTED = ['entered-in-error', 'cancelled', 'not-done', 'superseded', 'refuted', 'resolved', 'inactive'];

/**
 * What of a submission a criterion rests on, newest first. A diagnosis of the Claim counts as a Condition; what is itself asked for is no evidence,
 * nor is what was entered in error, refuted, resolved or not done.
 */
export function pickEvidence({ entry: entries = [] }: Bundle, wanted: PolicyCriterion['evidence']): readonly Resource[] {
  const asked = entries.flatMap(({ resource }) => (resource?.resourceType === 'Claim' ? (resource.item ?? []).flatMap(({ extension = [] }) => extension.flatMap(({ valueReference }) => valueReference?.reference ?? [])) : []));
  const sent = [...entries.filter((entry) => !isAsked(entry, asked)).flatMap(({ resource }) => (resource ? [resource] : [])), ...entries.flatMap(diagnosesOf)].filter((resource) => isEvidence(resource)).filter(counts);
  const fitting = sent.filter((resource) => wanted.some((each) => fits(resource, each)));
  return fitting.sort((a, b) => dayOf(b).localeCompare(dayOf(a)));
}

function isAsked({ fullUrl = '' }: BundleEntry, asked: readonly string[]): boolean {
  return asked.some((reference) => fullUrl === reference || fullUrl.endsWith(`/${reference}`));
}

function diagnosesOf({ resource }: BundleEntry): readonly Resource[] {
  if (resource?.resourceType !== 'Claim') return [];
  return (resource.diagnosis ?? []).flatMap(({ diagnosisCodeableConcept: code }) => (code ? [{ resourceType: 'Condition', subject: resource.patient, code }] : []));
}

function isEvidence(resource: Resource): resource is Evidence {
  return ['Condition', 'Observation', 'Procedure', 'DiagnosticReport', 'DocumentReference', 'MedicationRequest'].includes(resource.resourceType);
}

function counts(resource: Evidence): boolean {
  const states = resource.resourceType === 'Condition' ? [resource.verificationStatus, resource.clinicalStatus].flatMap((concept) => concept?.coding?.map(({ code }) => code) ?? []) : [resource.status];
  return !states.some((state) => state !== undefined && NOT_COUNTED.includes(state));
}

function fits(resource: Evidence, { type, codes, words = [] }: PolicyCriterion['evidence'][number]): boolean {
  if (resource.resourceType !== type) return false;
  const concepts = conceptsOf(resource);
  const codings = concepts.flatMap(({ coding = [] }) => coding);
  const own = codings.flatMap(({ code }) => (code ? [plain(code)] : []));
  const text = [...concepts.map((concept) => concept.text), ...codings.map(({ display }) => display), resource.resourceType === 'DocumentReference' ? resource.description : ''].join(' ').toLowerCase();
  return codes.map(plain).some((code) => own.some((each) => (code.endsWith('*') ? each.startsWith(code.slice(0, -1)) : each === code))) || words.some((word) => text.includes(word));
}

function conceptsOf(resource: Evidence): readonly CodeableConcept[] {
  if (resource.resourceType === 'DocumentReference') return [...(resource.type ? [resource.type] : []), ...(resource.category ?? [])];
  const concept = resource.resourceType === 'MedicationRequest' ? resource.medicationCodeableConcept : resource.code;
  return concept ? [concept] : [];
}

function dayOf(resource: Evidence): string {
  switch (resource.resourceType) {
    case 'Observation':
    case 'DiagnosticReport':
      return resource.effectiveDateTime ?? resource.effectivePeriod?.start ?? resource.issued ?? '';
    case 'Procedure':
      return resource.performedDateTime ?? resource.performedPeriod?.start ?? '';
    case 'Condition':
      return resource.recordedDate ?? resource.onsetDateTime ?? '';
    case 'DocumentReference':
      return resource.date ?? '';
    case 'MedicationRequest':
      return resource.authoredOn ?? '';
  }
}

const plain = (code: string): string => code.replaceAll('.', '').trim().toUpperCase();
