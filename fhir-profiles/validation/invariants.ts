import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

import type { InvariantFacts } from '../tables/table-format.ts';
import { isObject, type JsonObject } from './json-values.ts';

export interface InvariantContext {
  /** `%resource`: the resource the element is in. */
  readonly resource: JsonObject;
  /** `%rootResource`: its container when it is a contained one. */
  readonly rootResource: JsonObject;
}

export type InvariantResult = { readonly kind: 'holds' | 'fails' } | { readonly kind: 'not-evaluated'; readonly why: string };

type Evaluate = (value: unknown, variables: Record<string, unknown>) => unknown;

const compiled = new Map<string, Evaluate>();
const HOLDS = { kind: 'holds' } as const;
const FAILS = { kind: 'fails' } as const;

/** The commonest ones, where the FHIRPath text would cost more than all the rest together. */
const NATIVE: Readonly<Record<string, (value: JsonObject, context: InvariantContext) => boolean | undefined>> = {
  'ref-1': ({ reference }, { resource, rootResource }) =>
    typeof reference !== 'string' || !reference.startsWith('#') || reference === '#' || hasContained(rootResource, reference) || hasContained(resource, reference),
  'dom-2': withoutContained,
  'dom-3': withoutContained,
  'dom-4': withoutContained,
  'dom-5': withoutContained,
};

function withoutContained({ contained }: JsonObject): true | undefined {
  return contained === undefined ? true : undefined;
}

function hasContained({ contained }: JsonObject, reference: string): boolean {
  return Array.isArray(contained) && contained.some((resource) => isObject(resource) && `#${String(resource['id'])}` === reference);
}

/** `base` is the FHIR path or type the value stands for. */
export function evaluateInvariant(invariant: InvariantFacts, base: string, value: unknown, context: InvariantContext): InvariantResult {
  const native = isObject(value) ? NATIVE[invariant.key]?.(value, context) : undefined;
  if (native !== undefined) return native ? HOLDS : FAILS;
  try {
    const result = compile(invariant.expression, base)(value, { resource: context.resource, rootResource: context.rootResource });
    if (!Array.isArray(result)) return { kind: 'not-evaluated', why: 'the expression needs a terminology server' };
    return result.length === 0 || result[0] !== false ? HOLDS : FAILS;
  } catch (error) {
    return { kind: 'not-evaluated', why: error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error) };
  }
}

function compile(expression: string, base: string): Evaluate {
  const key = `${base} ${expression}`;
  let evaluate = compiled.get(key);
  if (!evaluate) {
    evaluate = fhirpath.compile({ base, expression }, r4, { traceFn: () => undefined }) as Evaluate;
    compiled.set(key, evaluate);
  }
  return evaluate;
}
