import { openValidator, type IssueCode, type Validator } from '#fhir/validation/validator.ts';
import type { Policy } from '#prior-auth/coverage-requirement/policy.ts';
import type { Fault } from './json-file.ts';
import { type PolicyCase, type PolicyCases, revisionOfCase, withDays } from './policy-cases.ts';

/*
 * Cases that would be played and yet show nothing: of another policy, of a revision or criterion that is not there, on resources with a day or an element
 * that FHIR R4 has not. Charts are small on purpose, so what is missing in them is no fault.
 */

const LOOKED_AT: readonly IssueCode[] = ['primitive-format', 'unknown-element', 'wrong-json-type', 'type-not-allowed'];

/** "today-10" counts as a day, whichever it is. */
const ANY_DAY = '2026-01-01';

let validator: Validator | undefined;

/** Paths begin at the file. */
export function caseFaults(policy: Policy, { policy: named, cases = [] }: PolicyCases): readonly Fault[] {
  const ofOther = named === policy.id ? [] : [{ path: ['policy'], message: `names ${named}, but the file is that of ${policy.id}` }];
  return [...ofOther, ...cases.flatMap((each, i) => [...nameFaults(policy, each), ...contentFaults(each)].map(({ path, message }) => ({ path: ['cases', i, ...path], message })))];
}

function nameFaults(policy: Policy, each: PolicyCase): readonly Fault[] {
  const revision = revisionOfCase(policy, each);
  if (!revision) return [{ path: ['revision'], message: `${policy.id} has no revision ${each.revision}; it has: ${policy.revisions.map((one) => one.revision).join(', ')}` }];
  const known = revision.criteria.map(({ id }) => id);
  return Object.keys(each.criteria ?? {}).flatMap((id) => (known.includes(id) ? [] : [{ path: ['criteria', id], message: `revision ${revision.revision} has no criterion ${id}; it has: ${known.join(', ') || 'none'}` }]));
}

function contentFaults({ record = [], submission = [], both = [], answers = {} }: PolicyCase): readonly Fault[] {
  const resources = Object.entries({ record, submission, both }).flatMap(([part, list]) => list.flatMap((resource, i) => resourceFaults(resource, [part, i])));
  const answered = Object.entries(answers).flatMap(([linkId, answer]) => {
    const response = { resourceType: 'QuestionnaireResponse', item: [{ linkId, answer: [answer] }] };
    return resourceFaults(response, []).map(({ path, message }) => ({ path: ['answers', linkId, ...path.slice(4)], message }));
  });
  return [...resources, ...answered];
}

function resourceFaults(resource: object, before: Fault['path']): readonly Fault[] {
  validator ??= openValidator(['crd-2.0.1']);
  const [written] = withDays([resource], ANY_DAY);
  return validator.validate(written).issues.flatMap(({ code, path, message }) => {
    if (!LOOKED_AT.includes(code)) return [];
    const inside = keysOf(path, resource);
    return [{ path: [...before, ...inside], message: `${message}${isOddDay(valueAt(resource, inside)) ? ' or, in a case, today-10' : ''}` }];
  });
}

/** A text that is no day yet might have been meant as one. */
function isOddDay(value: unknown): boolean {
  return typeof value === 'string' && /^[a-z]/i.test(value);
}

/** The validator says `effective` where the resource writes `effectiveDateTime`. */
function keysOf(path: string, resource: object): readonly PropertyKey[] {
  const keys: PropertyKey[] = [];
  for (const [, name = '', index] of path.slice(path.indexOf('.')).matchAll(/\.(\w+)(?:\[(\d+)\])?/g)) {
    const here = Object.keys(Object(valueAt(resource, keys)) as object);
    keys.push(here.find((key) => key === name) ?? here.find((key) => key.startsWith(name) && /^[A-Z]/.test(key.slice(name.length))) ?? name, ...(index === undefined ? [] : [Number(index)]));
  }
  return keys;
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((inner, key) => (typeof inner === 'object' && inner !== null ? (inner as Readonly<Record<PropertyKey, unknown>>)[key] : undefined), value);
}
