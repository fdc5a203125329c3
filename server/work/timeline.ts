import { TIMELINE_ACTIONS, type WorklistCase } from '#prior-auth/worklist-api.ts';
import type { AuditRow } from '#store/audit.ts';

/** Oldest first; what was recorded in the same millisecond stands in the order of the way. */
export function tellTimeline(rows: readonly AuditRow[]): WorklistCase['timeline'] {
  return TIMELINE_ACTIONS.flatMap((told) => rows.filter(({ action }) => action === told).map(({ recorded, who }) => ({ at: recorded, who, action: told }))).sort((a, b) => (a.at < b.at ? -1 : a.at > b.at ? 1 : 0));
}
