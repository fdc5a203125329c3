import type { Resource } from '@medplum/fhirtypes';
import { calendarDay } from '#prior-auth/coverage-requirement/calendar-day.ts';
import { type Determination, determine } from '#prior-auth/coverage-requirement/determine.ts';
import { readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import { EVIDENCE_TYPES, type EvidenceType } from '#prior-auth/coverage-requirement/policy.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { TimeZoneOf } from '../store/case-clock.ts';
import type { EhrClient } from './ehr-client.ts';
import type { CaseRecord } from './gather-submission.ts';

/** The payer's policy held against the chart as it is now. Throws EHR_*. */
export type CaseDeterminer = (priorAuthCase: PriorAuthCase, ehr: EhrClient, record: CaseRecord) => Promise<{ readonly determination: Determination; readonly today: string }>;

export function createCaseDeterminer({ policies, timeZoneOf, now }: { readonly policies: PolicyLibrary; readonly timeZoneOf: TimeZoneOf; readonly now: () => number }): CaseDeterminer {
  return async ({ service, requirement, patient, payer }, ehr, record) => {
    const found = await Promise.all(EVIDENCE_TYPES.map((type) => searchIfAllowed(ehr, type, patient.id)));
    const today = calendarDay(now(), timeZoneOf(payer.id));
    const determination = determine(policies, { order: record.order, service, coverage: requirement.coverage, payer, patient: record.patient, chart: () => readChart(found.flat()), today, assertionId: requirement.assertionId });
    return { determination, today };
  };
}

/** What the app may not see of a chart is not known; the rest still is. */
async function searchIfAllowed(ehr: EhrClient, type: EvidenceType, patientId: string): Promise<readonly Resource[]> {
  try {
    return await ehr.search(type, { patient: `Patient/${patientId}` });
  } catch (error) {
    if (error instanceof PriorAuthError && error.code === 'EHR_REFUSED') return [];
    throw error;
  }
}
