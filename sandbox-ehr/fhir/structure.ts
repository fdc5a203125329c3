import type { Resource } from '@medplum/fhirtypes';
import { isStorable } from '#store/storable-text.ts';
import { FhirRefusal } from '../errors.ts';
import { elementsOf, isResourceType } from './definitions.ts';

export type StoredResource = Resource & { id: string };

const ID = /^[A-Za-z0-9\-.]{1,64}$/;
const MAX_DEPTH = 60;

export const isFhirId = (text: string): boolean => ID.test(text);

/**
 * Parses unknown JSON as a resource: known type, legal id, only elements of that type, each of the right JSON shape and the required ones there.
 * Profiles are not checked: real records break them and an EHR still has to hold them.
 */
export function parseResource(value: unknown, expectedType?: string): Resource {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw new FhirRefusal(400, 'structure', 'The body must be a JSON object holding one resource.');
  const fields = value as Readonly<Record<string, unknown>>;
  const type = fields['resourceType'];
  if (typeof type !== 'string') throw new FhirRefusal(400, 'required', 'resourceType is missing.', 'resourceType');
  if (!isResourceType(type)) throw new FhirRefusal(422, 'not-supported', 'The resourceType is not a FHIR R4 resource.', 'resourceType');
  if (expectedType !== undefined && type !== expectedType) throw new FhirRefusal(400, 'invariant', `The resourceType must be ${expectedType}.`, 'resourceType');
  checkElements(type, fields);
  checkTree(value, 0);
  return value as Resource;
}

function checkElements(type: string, fields: Readonly<Record<string, unknown>>): void {
  const elements = elementsOf(type);
  for (const [name, value] of Object.entries(fields)) {
    if (name === 'resourceType') continue;
    const plain = name.startsWith('_') ? name.slice(1) : name;
    const shape = Object.hasOwn(elements, plain) ? elements[plain] : undefined;
    if (shape === undefined) throw new FhirRefusal(422, 'structure', `${type} has no element of that name.`, `${type}.${plain.slice(0, 60)}`);
    const kind = name.startsWith('_') ? 'object' : shape.replace(/[*!]/g, '');
    const many = shape.includes('*');
    if (many !== Array.isArray(value)) throw new FhirRefusal(422, 'structure', many ? 'Must be a list.' : 'Must not be a list.', `${type}.${plain}`);
    const values: readonly unknown[] = Array.isArray(value) ? value : [value];
    if (many && values.length === 0) throw new FhirRefusal(422, 'structure', 'A list must not be empty.', `${type}.${plain}`);
    if (!values.every((one) => typeof one === kind || (many && one === null))) throw new FhirRefusal(422, 'structure', `Must be ${kind}.`, `${type}.${plain}`);
  }
  for (const [name, shape] of Object.entries(elements)) {
    if (shape.includes('!') && fields[name] === undefined && fields[`_${name}`] === undefined) throw new FhirRefusal(422, 'required', 'A required element is missing.', `${type}.${name}`);
  }
  const id = fields['id'];
  if (id !== undefined && !(typeof id === 'string' && ID.test(id))) throw new FhirRefusal(422, 'value', 'The id is not a legal FHIR id.', `${type}.id`);
}

function checkTree(value: unknown, depth: number): void {
  if (depth > MAX_DEPTH) throw new FhirRefusal(422, 'structure', 'The resource is nested too deeply.');
  if (typeof value !== 'object' || value === null) {
    if (typeof value === 'string' && !isStorable(value)) throw unstorable();
    return;
  }
  const { reference } = value as { readonly reference?: unknown };
  if (reference !== undefined && typeof reference !== 'string' && typeof reference !== 'object') throw new FhirRefusal(422, 'structure', 'A reference must be text.');
  for (const [key, child] of Object.entries(value)) {
    if (!isStorable(key)) throw unstorable();
    checkTree(child, depth + 1);
  }
}

function unstorable(): FhirRefusal {
  return new FhirRefusal(422, 'value', 'Text must be well-formed Unicode without the character U+0000.');
}
