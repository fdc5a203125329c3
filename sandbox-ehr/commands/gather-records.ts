import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle, BundleEntry } from '@medplum/fhirtypes';
import { FhirRefusal } from '../errors.ts';
import { parseResource } from '../fhir/structure.ts';
import { mendResource } from './mend-resource.ts';

export interface Gathered {
  /** What to send, each as one transaction. */
  readonly transactions: readonly { readonly from: string; readonly bundle: Bundle }[];
  readonly mended: readonly string[];
  /** Not records at all. */
  readonly skipped: readonly string[];
  /** Records that cannot be stored. */
  readonly refused: readonly string[];
}

/** Reads a file, or every file below a folder, whatever its ending. Bundles stay whole; loose resources become one transaction of PUTs. */
export function gatherRecords(path: string): Gathered {
  const transactions: { from: string; bundle: Bundle }[] = [];
  const mended: string[] = [];
  const skipped: string[] = [];
  const refused: string[] = [];
  const loose = new Map<string, BundleEntry>();

  const entryOf = (value: unknown, from: string, given: Partial<BundleEntry> = {}): BundleEntry | undefined => {
    try {
      const { resource: plain, changes } = mendResource(value as Record<string, unknown>);
      const resource = parseResource(plain);
      if (changes.length > 0) mended.push(`${from}: ${changes.join('; ')}`);
      const request = resource.id ? { method: 'PUT' as const, url: `${resource.resourceType}/${resource.id}` } : { method: 'POST' as const, url: resource.resourceType };
      return { ...(given.fullUrl ? { fullUrl: given.fullUrl } : {}), resource, request: given.request ?? request };
    } catch (error) {
      if (!(error instanceof FhirRefusal)) throw error;
      refused.push(`${from}: ${error.message}${error.expression ? ` (${error.expression})` : ''}`);
      return undefined;
    }
  };

  for (const file of filesBelow(path)) {
    const value = readJson(file);
    if (value === undefined) skipped.push(`${file}: not JSON`);
    else if (!isRecord(value)) skipped.push(`${file}: JSON, but not a FHIR resource`);
    else if (value['resourceType'] === 'Bundle') {
      const bundle = value as unknown as Bundle;
      const entries = (bundle.entry ?? []).map((entry, at) => (entry.resource ? entryOf(entry.resource, `${file} entry ${at}`, entry) : { request: entry.request }));
      // A Bundle is one transaction: when one entry cannot be stored, none is.
      if (entries.some((entry) => entry === undefined)) refused.push(`${file}: the Bundle was left out whole`);
      else if (entries.length === 0) skipped.push(`${file}: an empty Bundle`);
      else transactions.push({ from: file, bundle: { resourceType: 'Bundle', type: 'transaction', entry: entries.filter((entry) => entry !== undefined) } });
    } else {
      const entry = entryOf(value, file);
      const key = entry?.request?.method === 'PUT' ? entry.request.url : file;
      if (key !== undefined && loose.has(key)) skipped.push(`${file}: ${key} comes again, the later one was taken`);
      if (entry && key !== undefined) loose.set(key, entry);
    }
  }
  if (loose.size > 0) transactions.push({ from: `${loose.size} single resources`, bundle: { resourceType: 'Bundle', type: 'transaction', entry: [...loose.values()] } });
  return { transactions, mended, skipped, refused };
}

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> => typeof value === 'object' && value !== null && !Array.isArray(value) && 'resourceType' in value;

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path).sort().flatMap((name) => filesBelow(join(path, name)));
}

function readJson(file: string): unknown {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
