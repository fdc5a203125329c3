import type { Questionnaire } from '@medplum/fhirtypes';
import type { EvaluateFhirPath } from '#prior-auth/questionnaire/form.ts';
import { sdcFunctions } from '#prior-auth/questionnaire/sdc-functions.ts';
import { typedPath } from '#prior-auth/questionnaire/typed-path.ts';

/** Expressions that run while the form is filled in. Initial expressions are the server's, when it reads the record. */
const RUNNING = /(calculatedExpression|enableWhenExpression|answerOptionsToggleExpression|questionnaire-constraint|targetConstraint|cqf-expression|StructureDefinition\/variable|cqf-calculatedValue)"/;

export function needsFhirPath(questionnaire: Questionnaire): boolean {
  return RUNNING.test(JSON.stringify(questionnaire));
}

/** Loads the FHIRPath engine, only when a form needs it. Rejects when it cannot be fetched. */
export async function loadEvaluator(): Promise<EvaluateFhirPath> {
  const [{ default: fhirpath }, { default: r4 }] = await Promise.all([import('fhirpath'), import('fhirpath/fhir-context/r4')]);
  const compiled = new Map<string, (context: unknown, variables: Readonly<Record<string, unknown>>) => readonly unknown[]>();
  return (expression, context, variables) => {
    const path = typedPath(expression, context);
    const key = typeof path === 'string' ? path : `${path.base}: ${expression}`;
    let run = compiled.get(key);
    if (run === undefined) {
      const evaluate = fhirpath.compile(path, r4, { async: false, userInvocationTable: sdcFunctions });
      run = (resource, environment) => evaluate(resource, { ...environment });
      compiled.set(key, run);
    }
    return run(context, variables);
  };
}
