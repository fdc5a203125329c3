import type { Extension, Resource } from '@medplum/fhirtypes';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import type { Action } from './hook-answer.ts';
import type { AnswerWriter } from './versions/answer-writer.ts';

/**
 * The systemAction that puts the requirement on the focus. Nothing else of it changes, nor what other coverages said.
 * Undefined when it already carries this answer: CRD sends a system action only for what is new. The date alone is nothing new.
 */
export function coverageAction(focus: Resource, requirement: CoverageRequirement, writer: AnswerWriter): Action | undefined {
  const extensions = ('extension' in focus ? focus.extension : undefined) ?? [];
  const isOfCoverage = (extension: Extension): boolean => extension.url === CRD_URLS.coverageInformation && readCoverageInformation({ extension: [extension] })[0]?.coverage === requirement.coverage;
  const before = extensions.filter(isOfCoverage);
  if (before.length === 1 && before[0] && saysTheSame(before[0], requirement, writer)) return undefined;
  return {
    type: 'update',
    description: `Coverage information for ${focus.resourceType}/${focus.id}`,
    resource: { ...focus, extension: [...extensions.filter((extension) => !isOfCoverage(extension)), writer.coverageInformation(requirement)] } as Resource,
  };
}

/** The assertion id names the answer and says nothing by itself, so the one received is kept for the comparison. */
function saysTheSame(before: Extension, requirement: CoverageRequirement, writer: AnswerWriter): boolean {
  const [received] = readCoverageInformation({ extension: [before] });
  if (!received?.assertionId || !received.date) return false;
  return inOneOrder(writer.coverageInformation({ ...requirement, assertionId: received.assertionId, date: received.date })) === inOneOrder(before);
}

/** As text in which neither the order of keys nor that of sub-extensions tells: servers store either as they like. */
function inOneOrder(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(inOneOrder).sort().join()}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{${Object.entries(value).map(([key, each]) => `${key}:${inOneOrder(each)}`).sort().join()}}`;
}
