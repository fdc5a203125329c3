import type { Bundle, CodeableConcept, Resource } from '@medplum/fhirtypes';
import type { SubmissionPreview } from '../panel-api.ts';
import { askedOrders, type SubmissionInput } from './submission-input.ts';
import type { SupportingChoice } from './supporting.ts';

const WHY: Readonly<Partial<Record<Resource['resourceType'], string>>> = {
  Claim: 'The request itself',
  Patient: 'Who it is for',
  Coverage: 'The insurance it is asked under',
  PractitionerRole: 'Who takes part, and where',
  Practitioner: 'Who takes part',
  QuestionnaireResponse: 'Your answers to the payer’s questions',
  Location: 'Where it takes place',
  Encounter: 'The stay that is asked for',
};

const DISPLAYS: Readonly<Partial<Record<Resource['resourceType'], string>>> = {
  Claim: 'Prior authorization request',
  Coverage: 'Insurance of the patient',
  PractitionerRole: 'Role of a clinician',
  Encounter: 'Planned stay',
};

interface Written {
  readonly bundle: Bundle;
  /** Urns by the record's references. */
  readonly names: Readonly<Record<string, string>>;
  /** Orders by item sequence. */
  readonly items: readonly { readonly sequence: number; readonly order?: string }[];
  readonly supporting: SupportingChoice;
  readonly warnings: NonNullable<SubmissionPreview['warnings']>;
}

/** What would leave, in words for the person who submits. */
export function summarize(input: SubmissionInput, { bundle, names, items, supporting, warnings }: Written): SubmissionPreview {
  const claim = bundle.entry?.[0]?.resource;
  const displays = new Map(askedOrders(input).map(({ service }) => [service.order, service.display]));
  const references = new Map(Object.entries(names).map(([reference, urn]) => [urn, reference]));
  const evidence = new Map(supporting.sent.map(({ reference, why }) => [names[reference], { reference, why }]));
  return {
    items: (claim?.resourceType === 'Claim' ? (claim.item ?? []) : []).map(({ sequence, productOrService }) => {
      const order = items.find((item) => item.sequence === sequence)?.order;
      const code = productOrService.coding?.[0];
      return { sequence, display: displays.get(order ?? '') ?? code?.display ?? code?.code ?? '', code: code?.code ?? '', ...(order ? { order } : {}) };
    }),
    resources: (bundle.entry ?? []).flatMap(({ fullUrl, resource }) => {
      if (!resource) return [];
      const supports = evidence.get(fullUrl);
      const reference = supports?.reference ?? references.get(fullUrl ?? '');
      return [{ resourceType: resource.resourceType, display: displayOf(resource), why: supports?.why ?? whyOf(resource, input.case.payer.name), ...(reference ? { reference } : {}), ...(supports ? { optional: true as const } : {}) }];
    }),
    leftOut: supporting.leftOut,
    warnings,
    problems: [],
  };
}

function whyOf(resource: Resource, payerName: string): string {
  const profile = resource.meta?.profile?.[0];
  if (resource.resourceType === 'Organization') return profile?.endsWith('insurer') ? `The payer, ${payerName}` : profile?.endsWith('requestor') ? 'The clinic that asks' : 'Takes part in the care';
  if (profile?.includes('davinci-pas') && /Request$|Order$/.test(resource.resourceType)) return 'What was ordered';
  return WHY[resource.resourceType] ?? 'Supports an answer or the order';
}

export function displayOf(resource: Resource): string {
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
