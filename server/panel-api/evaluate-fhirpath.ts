import { Script } from 'node:vm';
import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { EvaluateFhirPath } from '#prior-auth/questionnaire/form.ts';
import { sdcFunctions } from '#prior-auth/questionnaire/sdc-functions.ts';
import { typedPath } from '#prior-auth/questionnaire/typed-path.ts';

/** Of one of a payer's expressions, and of all that run one after the other while nothing else can run here. Milliseconds. */
const EXPRESSION_LIMIT_MS = 200;
const TURN_LIMIT_MS = 1_000;

const WORK = '__evaluateFhirPath';
const underWatch = new Script(`globalThis.${WORK}()`);
let spentMs = 0;

/**
 * FHIRPath for the form engine, giving plain JSON values. A payer's expression that does not come to an end is ended, and throws like one that
 * is wrong: the engine reports it and goes on.
 */
export const evaluateFhirPath: EvaluateFhirPath = (expression, context, variables) => {
  const left = Math.min(EXPRESSION_LIMIT_MS, Math.ceil(TURN_LIMIT_MS - spentMs));
  if (left <= 0) throw new Error('The expressions of this form take too long');
  if (spentMs === 0) setImmediate(() => { spentMs = 0; });
  const started = performance.now();
  try {
    const result = withinTime(() => fhirpath.evaluate(context ?? {}, typedPath(expression, context), variables, r4, { async: false, resolveInternalTypes: true, userInvocationTable: sdcFunctions }) as unknown, left);
    return Array.isArray(result) ? result : [];
  } finally {
    spentMs += performance.now() - started;
  }
};

/** Only V8 itself can end a regular expression or a loop of the engine. */
function withinTime(work: () => unknown, limitMs: number): unknown {
  Reflect.set(globalThis, WORK, work);
  try {
    return underWatch.runInThisContext({ timeout: limitMs });
  } finally {
    Reflect.deleteProperty(globalThis, WORK);
  }
}
