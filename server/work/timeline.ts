import type { AuditAction, AuditRow } from '#store/audit.ts';
import type { WorklistCase } from '#prior-auth/worklist-api.ts';

/** What the timeline tells; viewing and reading are in the audit trail but are no steps of the case. */
const WORDS: { readonly [A in AuditAction]?: string } = {
  'case-opened': 'Case opened',
  'panel-launched': 'Panel opened',
  'questionnaire-populated': 'Form filled in from the record',
  'questionnaire-saved': 'Form saved',
  'questionnaire-completed': 'Form completed',
  'denial-risk-scored': 'Denial risk estimated',
  'pas-bundle-queued': 'Request submitted',
  'pas-bundle-sent': 'Request sent to the payer',
  'pas-bundle-refused': 'Payer refused the request for a technical reason',
  'payer-decision-received': 'Payer’s answer received',
};

export function tellTimeline(rows: readonly AuditRow[]): WorklistCase['timeline'] {
  return rows.flatMap(({ recorded, who, action }) => {
    const what = WORDS[action];
    return what ? [{ at: recorded, who, what }] : [];
  });
}
