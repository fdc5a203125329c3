import fhirpath from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { EvaluateFhirPath } from '#prior-auth/questionnaire/form.ts';

/** FHIRPath for the form engine, giving plain JSON values. */
export const evaluateFhirPath: EvaluateFhirPath = (expression, context, variables) => {
  const result: unknown = fhirpath.evaluate(context ?? {}, expression, variables, r4, { async: false, resolveInternalTypes: true });
  return Array.isArray(result) ? result : [];
};
