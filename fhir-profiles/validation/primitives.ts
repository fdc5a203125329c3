/** Why a JSON value is not a valid value of a FHIR primitive type (R4 datatypes.html), or undefined when it is. */
export function primitiveProblem(type: string, value: unknown): { readonly code: 'wrong-json-type' | 'primitive-format'; readonly expected: string } | undefined {
  const rule = PRIMITIVES[type];
  if (!rule) return undefined;
  if (typeof value !== rule.json) return { code: 'wrong-json-type', expected: `a JSON ${rule.json}` };
  return rule.holds(value as never) ? undefined : { code: 'primitive-format', expected: rule.expected };
}

interface PrimitiveRule {
  readonly json: 'string' | 'number' | 'boolean';
  readonly expected: string;
  readonly holds: (value: never) => boolean;
}

const text = (expected: string, holds: (value: string) => boolean): PrimitiveRule => ({ json: 'string', expected, holds });
const matches = (expected: string, pattern: RegExp): PrimitiveRule => text(expected, (value) => pattern.test(value));
const integer = (expected: string, min: number): PrimitiveRule => ({
  json: 'number',
  expected,
  holds: (value: number) => Number.isInteger(value) && value >= min && value <= 2_147_483_647,
});

const DATE = /^(\d{4})(?:-(\d\d)(?:-(\d\d))?)?$/;
const DATE_TIME = /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|[+-](\d\d):(\d\d)))?)?)?$/;
const INSTANT = /^\d{4}-\d\d-\d\dT/;
const TIME = /^([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?$/;

/** True for a day that the calendar has: 2026-02-30 is refused. */
function realDate(year: string | undefined, month: string | undefined, day: string | undefined): boolean {
  if (year === '0000') return false;
  if (month === undefined) return true;
  if (Number(month) < 1 || Number(month) > 12) return false;
  return day === undefined || (Number(day) >= 1 && Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate());
}

function isDate(value: string): boolean {
  const match = DATE.exec(value);
  return match !== null && realDate(match[1], match[2], match[3]);
}

function isDateTime(value: string): boolean {
  const match = DATE_TIME.exec(value);
  if (!match || !realDate(match[1], match[2], match[3])) return false;
  const [hour = '0', minute = '0', second = '0', zoneHour = '0', zoneMinute = '0'] = match.slice(4);
  return Number(hour) < 24 && Number(minute) < 60 && Number(second) <= 60 && Number(zoneHour) <= 14 && Number(zoneMinute) < 60;
}

function isBase64(value: string): boolean {
  const dense = value.replaceAll(/\s/g, '');
  return dense.length > 0 && dense.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(dense);
}

const noOuterSpace = (value: string): boolean => value !== '' && value.trim() === value;

const PRIMITIVES: Readonly<Record<string, PrimitiveRule>> = {
  boolean: { json: 'boolean', expected: 'true or false', holds: () => true },
  integer: integer('an integer', -2_147_483_648),
  unsignedInt: integer('an integer of 0 or more', 0),
  positiveInt: integer('an integer of 1 or more', 1),
  decimal: { json: 'number', expected: 'a number', holds: (value: number) => Number.isFinite(value) },
  string: text('text that is not empty or only blanks', (value) => value.trim() !== ''),
  markdown: text('text that is not empty or only blanks', (value) => value.trim() !== ''),
  xhtml: text('a <div> element', (value) => value.trimStart().startsWith('<div')),
  date: text('YYYY, YYYY-MM or YYYY-MM-DD, and a day that exists', isDate),
  dateTime: text('a date, or a date with time and zone such as 2026-11-22T10:00:00Z', isDateTime),
  instant: text('date, time to the second and zone, such as 2026-11-22T10:00:00Z', (value) => INSTANT.test(value) && isDateTime(value)),
  time: matches('hh:mm:ss', TIME),
  code: text('a code without blanks at its ends or in a row', (value) => noOuterSpace(value) && !/\s\s|[\t\r\n]/.test(value)),
  id: matches('1 to 64 of A-Z, a-z, 0-9, - and .', /^[A-Za-z0-9\-.]{1,64}$/),
  uri: matches('a URI without blanks', /^\S+$/),
  url: matches('a URL without blanks', /^\S+$/),
  canonical: matches('a canonical URL without blanks', /^\S+$/),
  oid: matches('urn:oid: and digits with dots', /^urn:oid:[0-2](\.(0|[1-9]\d*))+$/),
  uuid: matches('urn:uuid: and a lower-case UUID', /^urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/),
  base64Binary: text('base64', isBase64),
  'System.String': text('text', () => true),
};
