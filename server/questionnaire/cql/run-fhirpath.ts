import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4/index.js';
import { sdcFunctions } from '#prior-auth/questionnaire/sdc-functions.ts';
import { plainResults } from './plain-result.ts';
import type { FhirPathTask, WorkerReply } from './worker-messages.ts';

export function warmUpFhirPath(): void {
  fhirpath.compile('Patient.name', r4);
}

/** Runs the frames of a form, outer ones first; each expression fails alone. */
export function runFhirPath({ frames }: FhirPathTask, reply: (message: WorkerReply) => void): void {
  const environments: Record<string, unknown>[] = [];
  for (const { outer, values, variables, expressions } of frames) {
    const environment: Record<string, unknown> = { ...(outer === undefined ? {} : environments[outer]), ...values };
    environments.push(environment);
    for (const { id, name, expression } of variables) {
      // A name of an outer frame must not shine through when the nearer variable fails.
      delete environment[name];
      const found = evaluate(id, expression, environment, reply, false);
      if (found) environment[name] = found.length === 1 ? found[0] : found;
    }
    for (const { id, expression } of expressions) evaluate(id, expression, environment, reply, true);
  }
}

function evaluate(id: string, expression: string, environment: Readonly<Record<string, unknown>>, reply: (message: WorkerReply) => void, wanted: boolean): readonly unknown[] | undefined {
  reply({ kind: 'started', id });
  try {
    const values = fhirpath.evaluate({}, expression, { ...environment }, r4, { async: false, userInvocationTable: sdcFunctions }) as unknown[];
    reply({ kind: 'result', result: { kind: 'value', id, values: wanted ? plainResults(values) : [] } });
    return values;
  } catch {
    reply({ kind: 'result', result: { kind: 'failed', id, reason: 'runtime' } });
    return undefined;
  }
}
