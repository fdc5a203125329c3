import type { CodeableConcept, Resource } from '@medplum/fhirtypes';
import { referenceTo } from '#fhir/base/reference.ts';
import type { EvidenceType, PolicyCriterion, PolicyEvidence } from './policy.ts';
import type { CriterionFinding, EvidenceReference } from './requirement.ts';

export type EvidenceResource = Extract<Resource, { resourceType: EvidenceType }>;

/** The chart sorted for the search for evidence, of one call or one determination. */
export interface Chart {
  /** Newest first, without entries that say nothing (entered in error, refuted, not done). */
  readonly entries: ReadonlyMap<EvidenceType, readonly ChartEntry[]>;
  /** Kept by holdCriteria. */
  readonly held: Map<PolicyCriterion, HeldCriterion>;
}

/** What a criterion rests on in a chart, and by the day what it came to without a look at anything else: that is so for every order. */
export interface HeldCriterion {
  readonly evidence: FoundEvidence;
  readonly findings: Map<string, CriterionFinding>;
}

interface ChartEntry {
  readonly resource: EvidenceResource;
  readonly codes: readonly string[];
  readonly text: string;
}

/** A stopped medicine still says that it was tried. */
const SAYS_NOTHING = new Set(['entered-in-error', 'cancelled', 'not-done', 'superseded']);
const CONDITION_SAYS_NOTHING = new Set(['entered-in-error', 'refuted', 'resolved', 'inactive']);

export function readChart(resources: readonly Resource[]): Chart {
  const byType = new Map<EvidenceType, ChartEntry[]>();
  for (const resource of resources) {
    if (!isEvidence(resource) || saysNothing(resource)) continue;
    const concepts = conceptsOf(resource);
    const entry = {
      resource,
      codes: concepts.flatMap((concept) => (concept.coding ?? []).flatMap((coding) => (coding.code ? [plainCode(coding.code)] : []))),
      text: [...concepts.flatMap((concept) => [concept.text, ...(concept.coding ?? []).map((coding) => coding.display)]), resource.resourceType === 'DocumentReference' ? resource.description : ''].join(' ').toLowerCase(),
    };
    const entries = byType.get(resource.resourceType);
    if (entries) entries.push(entry);
    else byType.set(resource.resourceType, [entry]);
  }
  for (const entries of byType.values()) entries.sort((a, b) => ((dateOf(a.resource) ?? '') < (dateOf(b.resource) ?? '') ? 1 : -1));
  return { entries: byType, held: new Map() };
}

export interface FoundEvidence {
  /** Newest first within each type. */
  readonly resources: readonly EvidenceResource[];
  /** There is more, older than these. */
  readonly olderLeftOut: boolean;
}

/** Of one kind of evidence the newest so many: what a chart holds beyond would cost a call more than it tells. */
export const MOST_OF_A_KIND = 500;

export function findEvidence(chart: Chart, wanted: readonly PolicyEvidence[]): FoundEvidence {
  const found = new Set<EvidenceResource>();
  let olderLeftOut = false;
  for (const evidence of wanted) {
    const { type, words = [] } = evidence;
    const plain = plainCodesOf(evidence);
    let taken = 0;
    for (const entry of chart.entries.get(type) ?? []) {
      if (!entry.codes.some((code) => plain.some((each) => fits(code, each))) && !words.some((word) => entry.text.includes(word))) continue;
      if (taken === MOST_OF_A_KIND) {
        olderLeftOut = true;
        break;
      }
      found.add(entry.resource);
      taken += 1;
    }
  }
  return { resources: [...found], olderLeftOut };
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
