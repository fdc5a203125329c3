import { PayerError } from '../payer-error.ts';
import type { ExpandRequest } from './expand-value-set.ts';

/** Parameters that change what comes back in ways this payer does not offer: better refused than ignored. */
const NOT_OFFERED: readonly string[] = ['valueSet', 'context', 'date', 'exclude-system', 'system-version', 'check-system-version', 'force-system-version'];
const LONGEST_FILTER = 200;

/** Reads the query of a GET. PayerError 400. */
export function readExpandQuery(query: Readonly<Record<string, unknown>>, url?: string): ExpandRequest {
  return readExpandFields((name) => {
    const value = query[name];
    if (Array.isArray(value)) throw new PayerError(400, { code: 'structure', text: `${name} is given once.`, expression: name });
    return value;
  }, Object.keys(query), url);
}

/** Reads the Parameters of a POST. PayerError 400. */
export function readExpandParameters(body: unknown, url?: string): ExpandRequest {
  const parts: unknown = isRecord(body) && body['resourceType'] === 'Parameters' ? (body['parameter'] ?? []) : undefined;
  if (!Array.isArray(parts) || !parts.every(isRecord)) throw new PayerError(400, { code: 'structure', text: 'Send a Parameters resource.', expression: 'Parameters' });
  const values = new Map<string, unknown>();
  for (const part of parts) {
    const name = String(part['name']);
    if (values.has(name)) throw new PayerError(400, { code: 'structure', text: `${name} is given once.`, expression: 'Parameters.parameter' });
    values.set(name, Object.entries(part).find(([key]) => key.startsWith('value'))?.[1] ?? part['resource'] ?? '');
  }
  return readExpandFields((name) => values.get(name), [...values.keys()], url);
}

function readExpandFields(read: (name: string) => unknown, names: readonly string[], known: string | undefined): ExpandRequest {
  const refused = NOT_OFFERED.find((name) => names.includes(name));
  if (refused) throw new PayerError(400, { code: 'not-supported', text: `${refused} is not taken: value sets of this payer are expanded by url, as of today.`, expression: refused });
  const text = (name: string): string | undefined => {
    const value = read(name);
    if (value === undefined || value === '') return undefined;
    if (typeof value !== 'string') throw new PayerError(400, { code: 'value', text: `${name} is text.`, expression: name });
    return value;
  };
  const wholeNumber = (name: string): number | undefined => {
    const value = read(name);
    if (value === undefined || value === '') return undefined;
    const number = typeof value === 'number' ? value : typeof value === 'string' && /^\d{1,9}$/.test(value) ? Number(value) : Number.NaN;
    if (!Number.isSafeInteger(number) || number < 0) throw new PayerError(400, { code: 'value', text: `${name} is a whole number, 0 or more.`, expression: name });
    return number;
  };
  if (String(read('activeOnly')) === 'false') throw new PayerError(400, { code: 'not-supported', text: 'Only active codes are given.', expression: 'activeOnly' });
  const given = text('url');
  const version = text('valueSetVersion');
  const url = known ?? (given !== undefined && version !== undefined && !given.includes('|') ? `${given}|${version}` : given);
  if (url === undefined) throw new PayerError(400, { code: 'required', text: 'url names the value set, a canonical with or without |version.', expression: 'url' });
  const filter = text('filter')?.slice(0, LONGEST_FILTER);
  const count = wholeNumber('count');
  return { url, offset: wholeNumber('offset') ?? 0, ...(filter === undefined ? {} : { filter }), ...(count === undefined ? {} : { count }) };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
