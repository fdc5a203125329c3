import type { WorklistRow } from '#prior-auth/worklist-api.ts';

const COLUMNS: readonly (readonly [head: string, value: (row: WorklistRow) => string | null | undefined])[] = [
  ['Case id', (row) => row.caseId],
  ['Patient', (row) => row.patientName],
  ['Service', (row) => row.service],
  ['Code', (row) => row.serviceCode],
  ['Payer', (row) => row.payerName],
  ['Ordered by', (row) => row.requester],
  ['State', (row) => row.state],
  ['Decision', (row) => row.decision?.headline],
  ['Who must act', (row) => row.mustAct],
  ['Payer wants more by', (row) => (row.wantsMore ? (row.wantsMore.due ?? 'no date given') : '')],
  ['Clock', (row) => row.clock?.kind],
  ['Answer due', (row) => row.clock?.dueAt],
  ['Answered', (row) => row.clock?.stoppedAt],
  ['Next touch', (row) => row.nextTouch],
  ['Assigned to', (row) => row.assignedTo?.name],
  ['Handed over to', (row) => row.handedOver?.takenBy ?? row.handedOver?.to],
  ['Authorization numbers', (row) => row.authorizations.flatMap(({ number }) => number ?? []).join(' ')],
  ['Valid until', (row) => row.authorizations.flatMap(({ validity }) => validity?.end?.slice(0, 10) ?? []).sort().at(-1)],
  ['Last change', (row) => row.updatedAt],
];

/** RFC 4180, with a byte order mark: spreadsheet programs read it as UTF-8. */
export const CSV_HEAD = `\uFEFF${COLUMNS.map(([head]) => cell(head)).join(',')}\r\n`;

export function csvLine(row: WorklistRow): string {
  return `${COLUMNS.map(([, value]) => cell(value(row) ?? '')).join(',')}\r\n`;
}

/** A spreadsheet program would run what begins as a formula, also behind blanks; an apostrophe makes it text. */
function cell(text: string): string {
  const guarded = /^[\s\u00A0]*[=+\-@|\uFF1D\uFF0B\uFF0D\uFF20]|^[\t\r\n]/.test(text) ? `'${text}` : text;
  return /[",\r\n;]/.test(guarded) ? `"${guarded.replace(/"/g, '""')}"` : guarded;
}
