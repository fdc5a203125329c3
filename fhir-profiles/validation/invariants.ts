import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';

import type { InvariantFacts } from '../tables/table-format.ts';
import { isObject } from './json-values.ts';
import { NATIVE_INVARIANTS, type InvariantContext } from './native-invariants.ts';

export type InvariantResult = { readonly kind: 'holds' | 'fails' } | { readonly kind: 'not-evaluated'; readonly why: string };

type Evaluate = (value: unknown, variables: Record<string, unknown>) => unknown;

const compiled = new Map<string, Evaluate>();
const HOLDS = { kind: 'holds' } as const;
const FAILS = { kind: 'fails' } as const;

/** `base` is the FHIR path or type the value stands for. */
export function evaluateInvariant(invariant: InvariantFacts, base: string, value: unknown, context: InvariantContext): InvariantResult {
  const native = NATIVE_INVARIANTS[invariant.key];
  if (native && isObject(value)) return native(value, context) ? HOLDS : FAILS;
  try {
    const result = compile(invariant.expression, base)(value, { resource: context.resource, rootResource: context.rootResource });
    if (!Array.isArray(result)) return { kind: 'not-evaluated', why: 'it needs a server' };
    return result.length === 0 || result[0] !== false ? HOLDS : FAILS;
  } catch (error) {
    // The engine's own message quotes the instance, which may be about a patient.
    const needsServer = error instanceof Error && error.message.includes('asynchronous');
    return { kind: 'not-evaluated', why: needsServer ? 'it needs resolve() or memberOf()' : 'the FHIRPath engine refuses it on this value' };
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
