import type { Extension } from '@medplum/fhirtypes';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { writeCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { POLICY_REVISION_DETAIL } from './policy-detail.ts';
import { REASON_CODES } from '#fhir/generated/code-sets.ts';
import type { CoverageRequirement } from './requirement.ts';

/** A requirement as CRD 2.0.1 coverage-information. The caller has held it against the emission rules. */
export function writeRequirement201(requirement: CoverageRequirement): Extension {
  const { policy, reasons, details = [], contacts = [], cause: _inWordsOnly, reasonCode, expiryDate: _later, inLaterCodes: _codes, ...same } = requirement;
  const coding = REASON_CODES.some((code) => code === reasonCode) ? [{ system: CRD_URLS.codesTemp, code: reasonCode ?? '' }] : undefined;
  return writeCoverageInformation({
    ...same,
    reasons: reasons.map((text, index) => ({ ...(coding && index === 0 ? { coding } : {}), text })),
    details: [
      ...details.map(({ code, value, qualification }) => ({
        code: typeof code === 'string' ? { coding: [{ system: CRD_URLS.codesTemp, code }] } : code,
        // It has no type for an address.
        value: typeof value === 'object' && 'url' in value ? value.url : value,
        ...(qualification === undefined ? {} : { qualification }),
      })),
      ...(policy ? [{ code: { coding: [POLICY_REVISION_DETAIL], text: 'Policy revision' }, value: `${policy.policyId}|${policy.revision}` }] : []),
    ],
    contacts: contacts.flatMap(({ telecom }) => telecom),
  });
}
