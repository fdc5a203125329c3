import type { Extension } from '@medplum/fhirtypes';
import { writeCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { POLICY_REVISION_DETAIL } from './policy-detail.ts';
import type { CoverageRequirement } from './requirement.ts';

/** A requirement as CRD 2.0.1 coverage-information. The caller has held it against the emission rules. */
export function writeRequirement201(requirement: CoverageRequirement): Extension {
  const { policy, reasons, ...same } = requirement;
  return writeCoverageInformation({
    ...same,
    reasons: reasons.map((text) => ({ text })),
    ...(policy ? { details: [{ code: { coding: [POLICY_REVISION_DETAIL], text: 'Policy revision' }, value: `${policy.policyId}|${policy.revision}` }] } : {}),
  });
}
