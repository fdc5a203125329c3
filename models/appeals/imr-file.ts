import { ModelError } from '../model-error.ts';

/*
 * California Department of Managed Health Care, "Independent Medical Review (IMR) Determinations, Trend" (CHHS Open Data Portal). One line for each denial that a
 * member took to an outside reviewer: what was wrong, what was asked for, and whether the reviewer overturned the plan's denial.
 */

export interface ImrDetermination {
  readonly reference: string;
  readonly year: number;
  readonly diagnosis: string | null;
  readonly diagnosisDetail: string | null;
  readonly treatment: string | null;
  readonly treatmentDetail: string | null;
  readonly reviewType: string;
  readonly overturned: boolean;
  /** Kept for the audit of subgroups; never features. */
  readonly age: string;
  readonly sex: string;
}

const COLUMNS = ['Reference ID', 'Report Year', 'Diagnosis Category', 'Diagnosis Sub Category', 'Treatment Category', 'Treatment Sub Category', 'Determination', 'Type', 'Age Range', 'Patient Gender'] as const;
type Column = (typeof COLUMNS)[number];

const OVERTURNED: Readonly<Record<string, boolean>> = { 'Overturned Decision of Health Plan': true, 'Upheld Decision of Health Plan': false };
const REVIEW_TYPES = ['Medical Necessity', 'Experimental/Investigational', 'Urgent Care'];
const AGES: Readonly<Record<string, string>> = { '0-10': '0-10', '11-20': '11-20', '11_20': '11-20', '21-30': '21-30', '31-40': '31-40', '41-50': '41-50', '51-64': '51-64', '65+': '65+', '': 'unknown' };
const SEXES: Readonly<Record<string, string>> = { Female: 'female', Male: 'male', Other: 'other', '': 'unknown' };
const MOST_REPORTED = 5;

/** Reads the file's text, separated by semicolons or commas. Throws TRAINING_REFUSED with the lines and columns that do not fit; never with their content. */
export function readImrFile(text: string): ImrDetermination[] {
  const body = text.replace(/^\uFEFF/, '');
  const separator = body.slice(0, body.search(/[\r\n]|$/)).includes(';') ? ';' : ',';
  const [header, ...lines] = readDelimited(body, separator);
  const names = header?.map((name) => name.trim()) ?? [];
  const lacking = COLUMNS.filter((column) => !names.includes(column));
  if (lacking.length > 0) throw new ModelError('TRAINING_REFUSED', `The file of determinations lacks the column ${lacking.join(', ')}.`);
  const places = new Map(COLUMNS.map((column) => [column, names.indexOf(column)]));
  const faults: string[] = [];
  const seen = new Set<string>();
  const determinations = lines.flatMap((fields, index) => {
    if (fields.length === 1 && fields[0]?.trim() === '') return [];
    const valueOf = (column: Column): string => (fields[places.get(column) as number] ?? '').trim();
    const year = Number(valueOf('Report Year'));
    const reference = valueOf('Reference ID');
    const overturned = OVERTURNED[valueOf('Determination')];
    const age = AGES[valueOf('Age Range')];
    const sex = SEXES[valueOf('Patient Gender')];
    const wrong = [
      fields.length !== names.length && 'number of fields',
      (reference === '' || seen.has(reference)) && 'Reference ID (empty, or there before)',
      !(Number.isInteger(year) && year >= 2001 && year <= 2100) && 'Report Year',
      overturned === undefined && 'Determination',
      !REVIEW_TYPES.includes(valueOf('Type')) && 'Type',
      age === undefined && 'Age Range',
      sex === undefined && 'Patient Gender',
    ].filter((each) => each !== false);
    seen.add(reference);
    if (wrong.length > 0 || overturned === undefined || age === undefined || sex === undefined) {
      faults.push(`line ${index + 2}: ${wrong.join(', ')}`);
      return [];
    }
    const orNull = (column: Column): string | null => valueOf(column) || null;
    return [{
      reference, year, overturned, age, sex,
      diagnosis: orNull('Diagnosis Category'), diagnosisDetail: orNull('Diagnosis Sub Category'),
      treatment: orNull('Treatment Category'), treatmentDetail: orNull('Treatment Sub Category'), reviewType: valueOf('Type'),
    }];
  });
  if (faults.length > 0) throw new ModelError('TRAINING_REFUSED', `${faults.length} lines of the file of determinations do not fit: ${faults.slice(0, MOST_REPORTED).join('; ')}${faults.length > MOST_REPORTED ? '; …' : ''}.`);
  return determinations;
}

/** Fields of each line; a field in double quotes may hold the separator, line ends and doubled quotes. */
function readDelimited(text: string, separator: string): string[][] {
  const lines: string[][] = [];
  let line: string[] = [];
  let field = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const char = text[at] as string;
    if (quoted) {
      if (char !== '"') field += char;
      else if (text[at + 1] === '"') {
        field += '"';
        at += 1;
      } else quoted = false;
    } else if (char === '"' && field === '') quoted = true;
    else if (char === separator || char === '\n') {
      line.push(field);
      field = '';
      if (char === '\n') {
        lines.push(line);
        line = [];
      }
    } else if (char !== '\r') field += char;
  }
  if (field !== '' || line.length > 0) lines.push([...line, field]);
  return lines;
}
