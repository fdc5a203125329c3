import type { Extension } from '@medplum/fhirtypes';
import { type ReceivedCoverageInformation, readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { PriorAuthError } from '../errors.ts';
import { POLICY_REVISION_DETAIL } from './policy-detail.ts';
import { COVERED, type CoverageRequirement, DOC_NEEDED, DOC_PURPOSE, eachDocNeeded, INFO_NEEDED, PA_NEEDED, type PolicyReference } from './requirement.ts';

/**
 * Every coverage-information on an order, in the order given, from CRD 2.0.1 up to 2.2 (whose `indeterminate` reads as conditional, and whose `detail-code` as OTH).
 * @throws PriorAuthError ORDER_UNREADABLE when one lacks coverage, covered, date or coverage-assertion-id, or holds an unknown code.
 */
export function readRequirement(order: { readonly extension?: readonly Extension[] | undefined }): CoverageRequirement[] {
  return readCoverageInformation(order).map(toRequirement);
}

function toRequirement(received: ReceivedCoverageInformation): CoverageRequirement {
  const paNeeded = received.paNeeded === undefined ? undefined : oneOf(PA_NEEDED, received.paNeeded, 'pa-needed');
  const docNeeded = oneDocNeeded(received.docNeeded);
  const policy = policyOf(received.details);
  return {
    coverage: mandatory(received.coverage, 'coverage'),
    covered: oneOf(COVERED, mandatory(received.covered, 'covered'), 'covered'),
    ...(paNeeded ? { paNeeded } : {}),
    ...(docNeeded ? { docNeeded } : {}),
    docPurpose: received.docPurpose.map((code) => oneOf(DOC_PURPOSE, code, 'doc-purpose')),
    infoNeeded: received.infoNeeded.map((code) => (code === 'detail-code' ? 'OTH' : oneOf(INFO_NEEDED, code, 'info-needed'))),
    reasons: received.reasons.flatMap((reason) => reason.text ?? reason.coding?.[0]?.display ?? reason.coding?.[0]?.code ?? []),
    questionnaires: received.questionnaires,
    date: mandatory(received.date, 'date'),
    assertionId: mandatory(received.assertionId, 'coverage-assertion-id'),
    ...(received.satisfiedPaId ? { satisfiedPaId: received.satisfiedPaId } : {}),
    ...(received.expiryDate && DAY.test(received.expiryDate) ? { expiryDate: received.expiryDate } : {}),
    ...(received.docNeeded.includes('patient') || received.infoNeeded.includes('detail-code') ? { inLaterCodes: { docNeeded: received.docNeeded.flatMap(eachDocNeeded), infoNeeded: received.infoNeeded } } : {}),
    ...(policy ? { policy } : {}),
  };
}

const DAY = /^\d{4}-\d{2}-\d{2}$/;

function mandatory(value: string | undefined, element: string): string {
  if (!value) throw unreadable(`lacks ${element}`);
  return value;
}

function oneOf<T extends string>(known: readonly T[], code: string, element: string): T {
  const wanted = code === 'indeterminate' ? 'conditional' : code;
  const found = known.find((each) => each === wanted);
  if (found === undefined) throw unreadable(`has an unknown code in ${element}`);
  return found;
}

/** What a patient must bring is administrative to the ordering side. */
function oneDocNeeded(codes: readonly string[]): CoverageRequirement['docNeeded'] {
  const distinct = new Set(codes.map((code) => (code === 'patient' ? 'admin' : oneOf(DOC_NEEDED, code, 'doc-needed'))));
  return distinct.has('both') || (distinct.has('clinical') && distinct.has('admin')) ? 'both' : [...distinct][0];
}

function policyOf(details: ReceivedCoverageInformation['details']): PolicyReference | undefined {
  const { system, code } = POLICY_REVISION_DETAIL;
  const detail = details.find((each) => each.code?.coding?.some((coding) => coding.system === system && coding.code === code));
  const [policyId, revision] = typeof detail?.value === 'string' ? detail.value.split('|') : [];
  return policyId && revision ? { policyId, revision } : undefined;
}

function unreadable(what: string): PriorAuthError {
  return new PriorAuthError('ORDER_UNREADABLE', `A coverage-information extension of the order ${what}.`, { nextStep: 'Sign the order again so that the payer answers anew.' });
}
