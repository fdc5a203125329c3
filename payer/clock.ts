const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** CMS-0057-F: 72 hours for an expedited request, else seven calendar days, counted in the payer's zone at the same time of day. Epoch milliseconds in and out. */
export function decideBy(receivedMs: number, isExpedited: boolean, timeZone: string): number {
  if (isExpedited) return receivedMs + 72 * HOUR_MS;
  const due = receivedMs + 7 * DAY_MS;
  // The wall clock counts: across a change of daylight saving seven days are an hour more or less.
  return due + offsetMs(receivedMs, timeZone) - offsetMs(due, timeZone);
}

function offsetMs(epochMs: number, timeZone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' }).formatToParts(epochMs);
  const [, sign, hours, minutes] = /GMT(?:([+-])(\d\d):(\d\d))?/.exec(parts.find(({ type }) => type === 'timeZoneName')?.value ?? '') ?? [];
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * HOUR_MS + Number(minutes ?? 0) * 60_000);
}
