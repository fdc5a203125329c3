/** Half-open [lowMs, highMs) in epoch milliseconds. An open end is ±8.64e15, the largest time a Date can hold. */
export interface DateRange {
  readonly lowMs: number;
  readonly highMs: number;
}

export const EARLIEST_MS = -8.64e15;
export const LATEST_MS = 8.64e15;

const pattern = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?)?(Z|[+-]\d{2}:\d{2})?)?)?)?$/;

/** The time a FHIR date, dateTime or instant covers; undefined when the text is none. Without a zone it is read as UTC. */
export function dateRange(text: string): DateRange | undefined {
  const match = pattern.exec(text.trim());
  if (!match) return undefined;
  const [, year, month, day, hour, minute, second, fraction, zone] = match;
  const y = Number(year);
  const m = Number(month ?? 1) - 1;
  const d = Number(day ?? 1);
  if (month && (m < 0 || m > 11)) return undefined;
  if (day && (d < 1 || d > new Date(Date.UTC(y, m + 1, 0)).getUTCDate())) return undefined;
  if (!month) return { lowMs: Date.UTC(y, 0, 1), highMs: Date.UTC(y + 1, 0, 1) };
  if (!day) return { lowMs: Date.UTC(y, m, 1), highMs: Date.UTC(y, m + 1, 1) };
  if (!hour) return { lowMs: Date.UTC(y, m, d), highMs: Date.UTC(y, m, d + 1) };
  if (Number(hour) > 23 || Number(minute) > 59 || Number(second ?? 0) > 60) return undefined;
  const milliseconds = Math.floor(Number(`0.${fraction ?? 0}`) * 1000);
  const lowMs = Date.UTC(y, m, d, Number(hour), Number(minute), Number(second ?? 0), milliseconds) - zoneOffsetMs(zone);
  return { lowMs, highMs: lowMs + (second === undefined ? 60_000 : fraction === undefined ? 1000 : 1) };
}

function zoneOffsetMs(zone: string | undefined): number {
  if (!zone || zone === 'Z') return 0;
  const sign = zone.startsWith('-') ? -1 : 1;
  return sign * (Number(zone.slice(1, 3)) * 60 + Number(zone.slice(4, 6))) * 60_000;
}
