import type { CodeableConcept, Resource } from '@medplum/fhirtypes';
import { referenceTo } from '#fhir/base/reference.ts';
import type { EvidenceType, PolicyEvidence } from './policy.ts';
import type { EvidenceReference } from './requirement.ts';

export type EvidenceResource = Extract<Resource, { resourceType: EvidenceType }>;

/** The chart sorted for the search for evidence: by type, newest first, without entries that say nothing (entered in error, refuted, not done). */
export type Chart = ReadonlyMap<EvidenceType, readonly ChartEntry[]>;

interface ChartEntry {
  readonly resource: EvidenceResource;
  readonly codes: readonly string[];
  readonly text: string;
}

/** A stopped medicine still says that it was tried. */
const SAYS_NOTHING = new Set(['entered-in-error', 'cancelled', 'not-done', 'superseded']);
const CONDITION_SAYS_NOTHING = new Set(['entered-in-error', 'refuted', 'resolved', 'inactive']);

export function readChart(resources: readonly Resource[]): Chart {
  const chart = new Map<EvidenceType, ChartEntry[]>();
  for (const resource of resources) {
    if (!isEvidence(resource) || saysNothing(resource)) continue;
    const concepts = conceptsOf(resource);
    const entry = {
      resource,
      codes: concepts.flatMap((concept) => (concept.coding ?? []).flatMap((coding) => (coding.code ? [plainCode(coding.code)] : []))),
      text: [...concepts.flatMap((concept) => [concept.text, ...(concept.coding ?? []).map((coding) => coding.display)]), resource.resourceType === 'DocumentReference' ? resource.description : ''].join(' ').toLowerCase(),
    };
    const entries = chart.get(resource.resourceType);
    if (entries) entries.push(entry);
    else chart.set(resource.resourceType, [entry]);
  }
  for (const entries of chart.values()) entries.sort((a, b) => ((dateOf(a.resource) ?? '') < (dateOf(b.resource) ?? '') ? 1 : -1));
  return chart;
}

/** Newest first within each type. */
export function findEvidence(chart: Chart, wanted: readonly PolicyEvidence[]): readonly EvidenceResource[] {
  const found = wanted.flatMap((evidence) => {
    const { type, words = [] } = evidence;
    const plain = plainCodesOf(evidence);
    return (chart.get(type) ?? []).filter((entry) => entry.codes.some((code) => plain.some((each) => fits(code, each))) || words.some((word) => entry.text.includes(word))).map((entry) => entry.resource);
  });
  return [...new Set(found)];
}

export function toEvidenceReference(resource: EvidenceResource): EvidenceReference | undefined {
  const reference = referenceTo(resource);
  const date = dateOf(resource);
  const [concept] = conceptsOf(resource);
  const display = concept?.text ?? concept?.coding?.find((coding) => coding.display)?.display ?? concept?.coding?.[0]?.code ?? resource.resourceType;
  return reference === undefined ? undefined : { reference, display, ...(date ? { date } : {}) };
}

function isEvidence(resource: Resource): resource is EvidenceResource {
  switch (resource.resourceType) {
    case 'Condition':
    case 'Observation':
    case 'Procedure':
    case 'DiagnosticReport':
    case 'DocumentReference':
    case 'MedicationRequest':
      return true;
    default:
      return false;
  }
}

function saysNothing(resource: EvidenceResource): boolean {
  if (resource.resourceType !== 'Condition') return resource.status !== undefined && SAYS_NOTHING.has(resource.status);
  return [resource.verificationStatus, resource.clinicalStatus].some((status) => status?.coding?.some(({ code }) => code !== undefined && CONDITION_SAYS_NOTHING.has(code)));
}

function conceptsOf(resource: EvidenceResource): readonly CodeableConcept[] {
  switch (resource.resourceType) {
    case 'MedicationRequest':
      return resource.medicationCodeableConcept ? [resource.medicationCodeableConcept] : [];
    case 'DocumentReference':
      return [resource.type, ...(resource.category ?? [])].flatMap((concept) => concept ?? []);
    default:
      return resource.code ? [resource.code] : [];
  }
}

function dateOf(resource: EvidenceResource): string | undefined {
  switch (resource.resourceType) {
    case 'Observation':
    case 'DiagnosticReport':
      return resource.effectiveDateTime ?? resource.effectivePeriod?.start ?? (resource.resourceType === 'Observation' ? resource.effectiveInstant : undefined) ?? resource.issued;
    case 'Procedure':
      return resource.performedDateTime ?? resource.performedPeriod?.start;
    case 'Condition':
      return resource.recordedDate ?? resource.onsetDateTime;
    case 'DocumentReference':
      return resource.date;
    case 'MedicationRequest':
      return resource.authoredOn;
  }
}

/** Of a policy that is held against many charts. */
const plainCodes = new WeakMap<PolicyEvidence, readonly string[]>();

function plainCodesOf(evidence: PolicyEvidence): readonly string[] {
  const known = plainCodes.get(evidence) ?? evidence.codes.map(plainCode);
  plainCodes.set(evidence, known);
  return known;
}

const plainCode = (code: string): string => code.replaceAll('.', '').trim().toUpperCase();
const fits = (code: string, wanted: string): boolean => (wanted.endsWith('*') ? code.startsWith(wanted.slice(0, -1)) : code === wanted);
