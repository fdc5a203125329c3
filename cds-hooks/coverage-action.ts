import type { Extension, Resource } from '@medplum/fhirtypes';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { writeRequirement201 } from '#prior-auth/coverage-requirement/write-requirement-2-0-1.ts';

/** The systemAction that puts the requirement on the order. Nothing else of the order changes, nor what other coverages said. */
export function answeredOrder(order: Resource, requirement: CoverageRequirement): { readonly type: 'update'; readonly description: string; readonly resource: Resource } {
  const extensions = ('extension' in order ? order.extension : undefined) ?? [];
  const isOfCoverage = (extension: Extension): boolean => extension.url === CRD_URLS.coverageInformation && readCoverageInformation({ extension: [extension] })[0]?.coverage === requirement.coverage;
  const before = extensions.find(isOfCoverage);
  const written = (before && sameAsBefore(before, requirement)) ?? writeRequirement201(requirement);
  return {
    type: 'update',
    description: `Coverage information for ${order.resourceType}/${order.id}`,
    resource: { ...order, extension: [...extensions.filter((extension) => !isOfCoverage(extension)), written] } as Resource,
  };
}

/** An answer that says the same as the one already on the order keeps its assertion id, so that claims can refer to it. */
function sameAsBefore(before: Extension, requirement: CoverageRequirement): Extension | undefined {
  const [received] = readCoverageInformation({ extension: [before] });
  if (!received?.assertionId || !received.date) return undefined;
  const again = writeRequirement201({ ...requirement, assertionId: received.assertionId, date: received.date });
  return JSON.stringify(again) === JSON.stringify(before) ? writeRequirement201({ ...requirement, assertionId: received.assertionId }) : undefined;
}
