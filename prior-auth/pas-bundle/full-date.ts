/** The day of a FHIR date, dateTime or instant as it is written there; undefined for a partial one (PAS FullDateRule: ten characters, or nothing is sent). */
export function fullDate(date: string | undefined): string | undefined {
  const day = date?.trim().slice(0, 10) ?? '';
  return /^\d{4}-\d{2}-\d{2}$/.test(day) && !Number.isNaN(Date.parse(`${day}T00:00:00Z`)) ? day : undefined;
}
