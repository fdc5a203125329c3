import type { EvidenceReference } from '#prior-auth/coverage-requirement/requirement.ts';
import { isRecord } from '#prior-auth/questionnaire/answer-value.ts';

/** The record entries among results, each once. */
export function evidenceOf(results: readonly unknown[]): EvidenceReference[] {
  const references = results.flatMap((result): EvidenceReference[] => {
    if (!isRecord(result)) return [];
    const { resourceType, id } = result;
    if (typeof resourceType !== 'string' || typeof id !== 'string') return [];
    const date = dateOf(result);
    return [{ reference: `${resourceType}/${id}`, display: displayOf(result) ?? resourceType, ...(date ? { date } : {}) }];
  });
  return [...new Map(references.map((one) => [one.reference, one])).values()];
}

/** The concept that an entry is about. */
export function conceptOf(resource: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  for (const key of ['code', 'codeCodeableConcept', 'medicationCodeableConcept', 'type', 'vaccineCode']) {
    const concept = Array.isArray(resource[key]) ? (resource[key] as unknown[])[0] : resource[key];
    if (isRecord(concept)) return concept;
  }
  return undefined;
}

/** A result in words; undefined when it has none. */
export function textOf(result: unknown): string | undefined {
  if (typeof result === 'string' || typeof result === 'number' || typeof result === 'boolean') return String(result);
  if (!isRecord(result)) return undefined;
  if (typeof result['resourceType'] === 'string') return entryText(result);
  const { value, unit, code } = result;
  if (typeof value === 'number') return [String(value), unit ?? code].filter((part) => typeof part === 'string').join(' ');
  return conceptText(result) ?? (typeof result['reference'] === 'string' ? result['reference'] : undefined);
}

function entryText(resource: Record<string, unknown>): string {
  const value = ['valueQuantity', 'valueCodeableConcept', 'valueString', 'valueInteger', 'valueBoolean'].map((key) => textOf(resource[key])).find((text) => text !== undefined);
  return [displayOf(resource) ?? String(resource['resourceType']), value, dateOf(resource)?.slice(0, 10)].filter((part) => part !== undefined).join(', ');
}

function displayOf(resource: Record<string, unknown>): string | undefined {
  const concept = conceptOf(resource);
  if (concept) return conceptText(concept);
  const [name] = Array.isArray(resource['name']) ? (resource['name'] as unknown[]) : [resource['name']];
  if (typeof name === 'string') return name;
  if (!isRecord(name)) return undefined;
  const given = Array.isArray(name['given']) ? name['given'].filter((part) => typeof part === 'string') : [];
  const whole = typeof name['text'] === 'string' ? name['text'] : [...given, name['family']].filter((part) => typeof part === 'string').join(' ');
  return whole || undefined;
}

function conceptText(concept: Record<string, unknown>): string | undefined {
  const coding: unknown = Array.isArray(concept['coding']) ? concept['coding'][0] : undefined;
  const words = concept['text'] ?? concept['display'] ?? (isRecord(coding) ? coding['display'] ?? coding['code'] : undefined) ?? concept['code'];
  return typeof words === 'string' && words.trim() ? words.trim() : undefined;
}

function dateOf(resource: Record<string, unknown>): string | undefined {
  for (const key of ['effectiveDateTime', 'performedDateTime', 'onsetDateTime', 'recordedDate', 'authoredOn', 'issued', 'date']) {
    const value = resource[key];
    if (typeof value === 'string') return value;
  }
  for (const key of ['effectivePeriod', 'performedPeriod', 'period']) {
    const period = resource[key];
    if (isRecord(period) && typeof period['start'] === 'string') return period['start'];
  }
  return undefined;
}
