import { elementsOf, isResourceType } from '../fhir/definitions.ts';

export interface Mended {
  readonly resource: Record<string, unknown>;
  /** What was changed, in words without content. */
  readonly changes: readonly string[];
}

/** Makes a record that others wrote slightly wrong loadable: names with stray spaces, elements the type lacks, a single value where a list belongs. */
export function mendResource(original: Readonly<Record<string, unknown>>): Mended {
  const type = String(original['resourceType']);
  if (!isResourceType(type)) return { resource: { ...original }, changes: [] };
  const elements = elementsOf(type);
  const resource: Record<string, unknown> = {};
  const changes: string[] = [];
  for (const [name, value] of Object.entries(original)) {
    const clean = name.trim();
    if (clean !== name) changes.push(`${clean}: name had spaces`);
    const shape = clean === 'resourceType' ? 'string' : elements[clean.replace(/^_/, '')];
    if (shape === undefined) {
      changes.push(`${clean}: left out, ${type} has no such element`);
      continue;
    }
    const many = shape.includes('*');
    if (many && !Array.isArray(value)) {
      changes.push(`${clean}: made a list`);
      resource[clean] = [value];
    } else if (!many && Array.isArray(value) && value.length === 1) {
      changes.push(`${clean}: taken out of its list`);
      resource[clean] = value[0];
    } else if (Array.isArray(value) && value.length === 0) {
      changes.push(`${clean}: empty list left out`);
    } else resource[clean] = value;
  }
  return { resource, changes };
}
