import { PriorAuthError } from '#prior-auth/errors.ts';
import { isOf } from '../ehr/gather-submission.ts';
import { summarize } from '../ehr/source-summary.ts';
import type { PanelHandler, PanelParts } from './panel-parts.ts';

/** One entry of this patient's record. Another patient's entry is answered like one that does not exist. */
export function readSource({ audit }: PanelParts): PanelHandler<'readSource'> {
  return async ({ reference }, { ehr, session, patientId, caseId }) => {
    const resource = await ehr.follow(reference);
    const shown = resource && isOf(resource, patientId) ? resource : undefined;
    audit.record({ action: 'record-read', who: session.user.reference, what: [reference], caseId, outcome: shown ? 'success' : 'refused' });
    if (!shown) throw new PriorAuthError('SOURCE_NOT_FOUND', 'The record has no such entry.', { nextStep: 'Look in the chart: it may have been corrected or removed.' });
    return { resource: shown, summary: summarize(shown) };
  };
}
