import type { AuditAction, AuditRow } from '#store/audit.ts';
import type { WorklistCase } from '#prior-auth/worklist-api.ts';

/** What the timeline tells, in the order of a case's way; viewing and reading are in the audit trail but are no steps. */
const WORDS: readonly (readonly [action: AuditAction, what: string])[] = [
  ['case-opened', 'Case opened'],
  ['panel-launched', 'Panel opened'],
  ['denial-risk-scored', 'Denial risk estimated'],
  ['questionnaire-populated', 'Form filled in from the record'],
  ['questionnaire-saved', 'Form saved'],
  ['questionnaire-completed', 'Form completed'],
  ['questionnaire-attested', 'Form attested'],
  ['questionnaire-merged', 'Answers from the record system merged in'],
  ['handed-over', 'Handed over to a colleague'],
  ['hand-over-taken', 'Taken over'],
  ['hand-over-cancelled', 'Hand-over undone'],
  ['hand-over-completed', 'Handed-over work completed'],
  ['packet-printed', 'Packet printed'],
  ['submission-chosen', 'Chosen what is sent'],
  ['questionnaire-asked', 'Form that the payer asked for opened'],
  ['pas-bundle-queued', 'Request submitted'],
  ['pas-bundle-sent', 'Request sent to the payer'],
  ['pas-bundle-refused', 'Payer refused the request for a technical reason'],
  ['payer-decision-received', 'Payer’s answer received'],
];

/** Oldest first; what was recorded in the same millisecond stands in the order of the way. */
export function tellTimeline(rows: readonly AuditRow[]): WorklistCase['timeline'] {
  return WORDS.flatMap(([action, what]) => rows.filter((row) => row.action === action).map(({ recorded, who }) => ({ at: recorded, who, what })))
    .sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
