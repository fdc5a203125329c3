import type { Extension } from '@medplum/fhirtypes';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { type CoverageInformation22, writeCoverageInformation22 } from '#fhir/crd/coverage-information-2-2.ts';
import { POLICY_REVISION_DETAIL } from './policy-detail.ts';
import { REASON22_CODES } from '#fhir/generated/code-sets.ts';
import { type CoverageRequirement, inLaterCodes } from './requirement.ts';

/** A requirement as CRD 2.2 coverage-information. The caller has held it against the emission rules. */
export function writeRequirement22(requirement: CoverageRequirement): Extension {
  const { policy, details = [], contacts = [], coverage, date, assertionId, satisfiedPaId, expiryDate } = requirement;
  return writeCoverageInformation22({
    coverage,
    ...answerOf(requirement),
    billingCodes: [...(requirement.billingCodes ?? [])],
    reasons: reasonsOf(requirement),
    details: [
      ...details.map(({ code, value, qualification, category = 'other' }) => ({
        category: `cat-${category}` as const, code: typeof code === 'string' ? { coding: [{ system: CRD_URLS.coverageDetails, code }] } : code, value, ...(qualification === undefined ? {} : { qualification }),
      })),
      ...(policy ? [{ category: 'cat-other' as const, code: { coding: [POLICY_REVISION_DETAIL], text: 'Policy revision' }, value: `${policy.policyId}|${policy.revision}` }] : []),
    ],
    dependencies: requirement.dependencies ?? [],
    date,
    assertionId,
    ...(satisfiedPaId === undefined ? {} : { satisfiedPaId }),
    contacts: contacts.map(({ name, telecom }) => ({ ...(name === undefined ? {} : { name }), telecom: [...telecom] })),
    ...(expiryDate === undefined ? {} : { expiryDate }),
  });
}

/** A code for the cause or from the payer, where there is one, with the first reason's words. */
function reasonsOf({ cause, reasonCode, reasons }: CoverageRequirement): CoverageInformation22['reasons'] {
  const code = cause ?? REASON22_CODES.find((each) => each === reasonCode);
  const coding = code === undefined ? undefined : [{ system: CRD_URLS.codesTemp, code }];
  if (reasons.length === 0) return coding ? [{ coding }] : [];
  return reasons.map((text, i) => ({ ...(coding && i === 0 ? { coding } : {}), text }));
}

type Answer = Pick<CoverageInformation22, 'covered' | 'paNeeded' | 'docNeeded' | 'docPurpose' | 'infoNeeded' | 'questionnaires'>;

/** With a cause that has a code: technical trouble leaves the answer open, a member or coverage that is none is not covered. */
function answerOf(requirement: CoverageRequirement): Answer {
  const { cause, covered, paNeeded, docPurpose, questionnaires } = requirement;
  const nothing = { docNeeded: [], docPurpose: [], infoNeeded: [], questionnaires: [] };
  if (cause === 'technical') return { covered: 'indeterminate', paNeeded: 'indeterminate', ...nothing };
  if (cause !== undefined) return { covered: 'not-covered', ...nothing };
  return { covered, ...(paNeeded === undefined ? {} : { paNeeded }), docPurpose, questionnaires, ...inLaterCodes(requirement) };
}
