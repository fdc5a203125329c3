import { readdirSync, readFileSync } from 'node:fs';
import type { Bundle } from '@medplum/fhirtypes';
import { sql } from 'kysely';
import { fullAccess } from '../fhir/access.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import { parseResource, type StoredResource } from '../fhir/structure.ts';

const DAY_MS = 86_400_000;

/** The synthetic patients. `{{today-10d}}` is the date ten days before `nowMs`; `{{text:…}}` becomes base64. */
export function seedResources(nowMs: number): StoredResource[] {
  const files = readdirSync(import.meta.dirname).filter((name) => name.endsWith('.json')).sort();
  return files.flatMap((name) => {
    const bundle = fillIn(JSON.parse(readFileSync(new URL(name, import.meta.url), 'utf8')), nowMs) as Bundle;
    return (bundle.entry ?? []).map((entry) => parseResource(entry.resource) as StoredResource);
  });
}

function fillIn(value: unknown, nowMs: number): unknown {
  if (typeof value === 'string') return fillText(value, nowMs);
  if (Array.isArray(value)) return value.map((one) => fillIn(one, nowMs));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, fillIn(child, nowMs)]));
}

function fillText(text: string, nowMs: number): string {
  const note = /^\{\{text:([^]*)\}\}$/.exec(text);
  if (note) return Buffer.from(note[1] ?? '', 'utf8').toString('base64');
  return text.replace(/\{\{today-(\d+)d\}\}/g, (_all, days: string) => new Date(nowMs - Number(days) * DAY_MS).toISOString().slice(0, 10));
}

/** Loads the synthetic patients when the store holds no resource yet, nor ever held one. */
export async function seedOnce(repository: FhirRepository): Promise<void> {
  await repository.transaction(async (inside) => {
    const { rows } = await sql`select 1 from ehr.version limit 1`.execute(inside.db);
    if (rows.length > 0) return;
    await inside.write(seedResources(inside.now()).map((resource) => ({ kind: 'put' as const, resource })), fullAccess('sandbox-ehr'));
  });
}
