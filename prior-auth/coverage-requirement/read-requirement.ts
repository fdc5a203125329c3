import type { Extension } from '@medplum/fhirtypes';
import { PriorAuthError } from '../errors.ts';
import { COVERAGE_DETAIL_SYSTEM, COVERAGE_INFORMATION, POLICY_REVISION_DETAIL } from './coverage-information.ts';
import { COVERED, type CoverageRequirement, DOC_NEEDED, DOC_PURPOSE, INFO_NEEDED, PA_NEEDED, type PolicyReference } from './requirement.ts';

/**
 * Every coverage-information on an order, in the order given, from CRD 2.0.1 up to 2.2 (whose `indeterminate` reads as conditional).
 * @throws PriorAuthError ORDER_UNREADABLE when one lacks coverage, covered, date or coverage-assertion-id, or has an unknown `covered`.
 */
export function readRequirement(order: { readonly extension?: readonly Extension[] | undefined }): CoverageRequirement[] {
  return (order.extension ?? []).filter((extension) => extension.url === COVERAGE_INFORMATION).map(readOne);
}

function readOne(information: Extension): CoverageRequirement {
  const parts = information.extension ?? [];
  const all = (url: string): readonly Extension[] => parts.filter((part) => part.url === url);
  const codes = <T extends string>(url: string, known: readonly T[]): readonly T[] => all(url).map((part) => oneOf(known, part.valueCode, url));
  const mandatory = (url: string, value: string | undefined): string => {
    if (!value) throw unreadable(`lacks ${url}`);
    return value;
  };
  const [paNeeded] = codes('pa-needed', PA_NEEDED);
  const docNeeded = oneDocNeeded(codes('doc-needed', DOC_NEEDED_ANY_VERSION));
  const satisfiedPaId = all('satisfied-pa-id')[0]?.valueString;
  const policy = policyOf(all('detail'));
  return {
    coverage: mandatory('coverage', all('coverage')[0]?.valueReference?.reference),
    covered: oneOf(COVERED, mandatory('covered', all('covered')[0]?.valueCode), 'covered'),
    ...(paNeeded ? { paNeeded } : {}),
    ...(docNeeded ? { docNeeded } : {}),
    docPurpose: codes('doc-purpose', DOC_PURPOSE),
    infoNeeded: codes('info-needed', INFO_NEEDED),
    reasons: all('reason').flatMap(({ valueCodeableConcept: reason }) => reason?.text ?? reason?.coding?.[0]?.display ?? reason?.coding?.[0]?.code ?? []),
    questionnaires: all('questionnaire').flatMap((part) => part.valueCanonical ?? []),
    date: mandatory('date', all('date')[0]?.valueDate),
    assertionId: mandatory('coverage-assertion-id', all('coverage-assertion-id')[0]?.valueString),
    ...(satisfiedPaId ? { satisfiedPaId } : {}),
    ...(policy ? { policy } : {}),
  };
}

function oneOf<T extends string>(known: readonly T[], code: string | undefined, element: string): T {
  const wanted = code === 'indeterminate' ? 'conditional' : code;
  const found = known.find((each) => each === wanted);
  if (found === undefined) throw unreadable(`has an unknown code in ${element}`);
  return found;
}

const DOC_NEEDED_ANY_VERSION = [...DOC_NEEDED, 'patient'] as const;

/** From 2.1 on doc-needed repeats and there is no `both`; what a patient must bring is administrative to the ordering side. */
function oneDocNeeded(codes: readonly (CoverageRequirement['docNeeded'] | 'patient')[]): CoverageRequirement['docNeeded'] {
  const distinct = new Set(codes.map((code) => (code === 'patient' ? 'admin' : code)));
  return distinct.has('both') || (distinct.has('clinical') && distinct.has('admin')) ? 'both' : [...distinct][0];
}

function policyOf(details: readonly Extension[]): PolicyReference | undefined {
  for (const detail of details) {
    const code = detail.extension?.find((part) => part.url === 'code')?.valueCodeableConcept?.coding;
    if (!code?.some((coding) => coding.system === COVERAGE_DETAIL_SYSTEM && coding.code === POLICY_REVISION_DETAIL)) continue;
    const [policyId, revision] = detail.extension?.find((part) => part.url === 'value')?.valueString?.split('|') ?? [];
    if (policyId && revision) return { policyId, revision };
  }
  return undefined;
}

function unreadable(what: string): PriorAuthError {
  return new PriorAuthError('ORDER_UNREADABLE', `A coverage-information extension of the order ${what}.`, { nextStep: 'Sign the order again so that the payer answers anew.' });
}
