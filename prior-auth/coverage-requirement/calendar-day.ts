interface Zone {
  readonly format: Intl.DateTimeFormat;
  minute: number;
  day: string;
}

const zones = new Map<string, Zone>();

/** The calendar day, YYYY-MM-DD, that it is at an instant in a time zone (IANA name). */
export function calendarDay(epochMs: number, timeZone: string): string {
  let zone = zones.get(timeZone);
  if (!zone) {
    zone = { format: new Intl.DateTimeFormat('en-CA', { timeZone, year: 'numeric', month: '2-digit', day: '2-digit' }), minute: Number.NaN, day: '' };
    zones.set(timeZone, zone);
  }
  // A day begins on a whole minute, and most who ask ask for the present one.
  const minute = Math.floor(epochMs / 60_000);
  if (minute !== zone.minute) {
    zone.day = zone.format.format(epochMs);
    zone.minute = minute;
  }
  return zone.day;
}
