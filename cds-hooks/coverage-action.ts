import type { Extension, Resource } from '@medplum/fhirtypes';
import { relativeReference } from '#fhir/base/reference.ts';
import { type ReceivedCoverageInformation, readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import type { Action } from './hook-answer.ts';
import type { AnswerWriter } from './versions/answer-writer.ts';

/**
 * The systemAction that puts the requirement on the focus. Nothing else of it changes, nor what other coverages said.
 * Undefined when it already carries this answer: CRD sends a system action only for what is new. The date alone is nothing new,
 * nor what a server or client adds when it keeps the answer.
 */
export function coverageAction(focus: Resource, requirement: CoverageRequirement, writer: AnswerWriter): Action | undefined {
  const extensions = extensionsOf(focus);
  const before = answersUnder(focus, requirement.coverage);
  if (before.length === 1 && before[0] && saysTheSame(before[0], requirement, writer)) return undefined;
  return {
    type: 'update',
    description: `Coverage information for ${focus.resourceType}/${focus.id}`,
    resource: { ...focus, extension: [...extensions.filter((extension) => !before.includes(extension)), writer.coverageInformation(requirement)] } as Resource,
  };
}

/** What the resource carries already under a coverage ("Coverage/123"), also where a server has put its own address before the reference. */
export function carriedUnder(focus: Resource, coverage: string): readonly ReceivedCoverageInformation[] {
  return readCoverageInformation({ extension: answersUnder(focus, coverage) });
}

function answersUnder(focus: Resource, coverage: string): Extension[] {
  return extensionsOf(focus).filter((extension) => {
    const reference = readCoverageInformation({ extension: [extension] })[0]?.coverage ?? '';
    return (relativeReference(reference) ?? reference) === coverage;
  });
}

function extensionsOf(focus: Resource): readonly Extension[] {
  return ('extension' in focus ? focus.extension : undefined) ?? [];
}

/** The assertion id names the answer and says nothing by itself, so the one received is kept for the comparison. */
function saysTheSame(before: Extension, requirement: CoverageRequirement, writer: AnswerWriter): boolean {
  const [received] = readCoverageInformation({ extension: [before] });
  if (!received?.assertionId || !received.date) return false;
  // A 2.0.1 client may have added the form's response that belongs to it.
  const ours = { ...before, extension: (before.extension ?? []).filter(({ url }) => url !== 'response') };
  return inOneOrder(writer.coverageInformation({ ...requirement, assertionId: received.assertionId, date: received.date })) === inOneOrder(ours);
}

/** As text in which neither the order of keys nor that of sub-extensions tells, nor ids of elements, nor how a reference is written: servers store them as they like. */
function inOneOrder(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneOrder).sort().join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  if ('reference' in value && typeof value.reference === 'string') return `{reference:${relativeReference(value.reference) ?? value.reference}}`;
  return `{${Object.entries(value).filter(([key]) => key !== 'id').map(([key, each]) => `${key}:${inOneOrder(each)}`).sort().join()}}`;
}
