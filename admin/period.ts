export type Period = { readonly kind: 'period'; readonly from: Date; readonly to: Date } | { readonly kind: 'fault'; readonly why: string };

/** Days (YYYY-MM-DD, UTC; `to` is the last day) or instants; without `from` all, without `to` up to now. */
export function readPeriod(from: string | undefined, to: string | undefined, nowMs: number): Period {
  const begin = from === undefined ? 0 : Date.parse(from);
  const end = to === undefined ? nowMs + 1 : Date.parse(to) + (/^\d{4}-\d{2}-\d{2}$/.test(to) ? 86_400_000 : 0);
  if (Number.isNaN(begin) || Number.isNaN(end)) return { kind: 'fault', why: 'from and to are days (2026-11-22) or instants (2026-11-22T10:00:00Z)' };
  if (begin >= end) return { kind: 'fault', why: 'from must be before to' };
  return { kind: 'period', from: new Date(begin), to: new Date(end) };
}
