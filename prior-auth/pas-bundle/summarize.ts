import type { Bundle, CodeableConcept, Resource } from '@medplum/fhirtypes';
import type { SubmissionPreview } from '../panel-api.ts';
import type { SubmissionInput } from './submission-input.ts';

const WHY: Readonly<Partial<Record<Resource['resourceType'], string>>> = {
  Claim: 'The request itself',
  Patient: 'Who it is for',
  Coverage: 'The insurance it is asked under',
  PractitionerRole: 'Who ordered it, and where',
  Practitioner: 'Who ordered it',
  QuestionnaireResponse: 'Your answers to the payer’s questions',
  Condition: 'Reason of the order, or source of an answer',
};

const DISPLAYS: Readonly<Partial<Record<Resource['resourceType'], string>>> = {
  Claim: 'Prior authorization request',
  Coverage: 'Insurance of the patient',
  PractitionerRole: 'Role of the clinician at the clinic',
};

/** What would leave, in words for the person who submits. */
export function summarize({ case: { service, payer } }: SubmissionInput, bundle: Bundle): SubmissionPreview {
  const resources = (bundle.entry ?? []).flatMap(({ resource }) => (resource ? [resource] : []));
  const claim = resources.find((resource) => resource.resourceType === 'Claim');
  return {
    items: (claim?.item ?? []).map(({ sequence, productOrService }) => ({ sequence, display: service.display, code: productOrService.coding?.[0]?.code ?? '' })),
    resources: resources.map((resource) => ({ resourceType: resource.resourceType, display: displayOf(resource), why: whyOf(resource, payer.name) })),
    problems: [],
  };
}

function whyOf(resource: Resource, payerName: string): string {
  if (resource.resourceType === 'Organization') return resource.meta?.profile?.[0]?.endsWith('insurer') ? `The payer, ${payerName}` : 'The clinic that asks';
  if (resource.meta?.profile?.[0]?.includes('davinci-pas') && /Request$|Order$/.test(resource.resourceType)) return 'What was ordered';
  return WHY[resource.resourceType] ?? 'Supports an answer or the order';
}

function displayOf(resource: Resource): string {
  const facts = resource as { readonly code?: CodeableConcept; readonly name?: unknown; readonly description?: string; readonly codeCodeableConcept?: CodeableConcept; readonly medicationCodeableConcept?: CodeableConcept; readonly type?: CodeableConcept | readonly CodeableConcept[] };
  if (typeof facts.name === 'string') return facts.name;
  if (resource.resourceType === 'Patient' || resource.resourceType === 'Practitioner') {
    const name = resource.name?.[0];
    return [...(name?.given ?? []), name?.family].filter(Boolean).join(' ');
  }
  const fixed = DISPLAYS[resource.resourceType];
  if (fixed) return fixed;
  if (resource.resourceType === 'QuestionnaireResponse') return `Completed form (${resource.questionnaire?.split('|')[0]?.split('/').at(-1) ?? 'unnamed'})`;
  if (facts.description) return facts.description;
  const type = Array.isArray(facts.type) ? undefined : (facts.type as CodeableConcept | undefined);
  const concept = [facts.code, facts.codeCodeableConcept, facts.medicationCodeableConcept, type].find((candidate) => candidate?.text ?? candidate?.coding?.[0]);
  const coding = concept?.coding?.[0];
  return concept?.text ?? coding?.display ?? coding?.code ?? resource.resourceType;
}
