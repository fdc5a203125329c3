import { locale } from './language.ts';

/** A FHIR date or dateTime (YYYY, YYYY-MM, YYYY-MM-DD, or an instant) in the reader's language; what is no date is given back as it is. */
export function showDate(value: string, inLocale: string = locale): string {
  const match = /^(\d{4})(?:-(\d{2})(?:-(\d{2})(T.*)?)?)?$/.exec(value);
  if (match === null) return value;
  const [, year = '', month, day, time] = match;
  if (month === undefined) return year;
  if (time !== undefined) return format(new Date(value), { dateStyle: 'medium', timeStyle: 'short' }, value, inLocale);
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day ?? '1')));
  return format(date, { year: 'numeric', month: 'short', ...(day === undefined ? {} : { day: 'numeric' }), timeZone: 'UTC' }, value, inLocale);
}

/** A clock time, of an instant in epoch ms. */
export function showTime(at: number): string {
  return new Intl.DateTimeFormat(locale, { timeStyle: 'medium' }).format(at);
}

/** Whole years at `now`; undefined when the birth date is less exact than a day or lies ahead. */
export function ageInYears(birthDate: string, now: number): number | undefined {
  const match = /^(\d{4})-(\d{2})-(\d{2})$/.exec(birthDate);
  if (match === null) return undefined;
  const today = new Date(now);
  const [year, month, day] = [Number(match[1]), Number(match[2]), Number(match[3])];
  const hadBirthday = today.getMonth() + 1 > month || (today.getMonth() + 1 === month && today.getDate() >= day);
  const age = today.getFullYear() - year - (hadBirthday ? 0 : 1);
  return age < 0 ? undefined : age;
}

function format(date: Date, options: Intl.DateTimeFormatOptions, fallback: string, inLocale: string): string {
  return Number.isNaN(date.getTime()) ? fallback : new Intl.DateTimeFormat(inLocale, options).format(date);
}
