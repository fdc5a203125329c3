import type { Bundle } from '@medplum/fhirtypes';
import { compile } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { CriterionResult } from './item-review.ts';
import type { PolicyRevision } from './read-policies.ts';

type Expression = (bundle: Bundle) => unknown[];
const compiled = new Map<string, Expression>();

/** Holds what the bundle carries against each criterion. An empty answer is unknown; so is an expression that fails, which `onFault` hears of. */
export function weighCriteria(policy: PolicyRevision, bundle: Bundle, onFault: (criterionId: string, error: unknown) => void): readonly CriterionResult[] {
  return policy.criteria.map(({ id, label, submission }) => {
    try {
      return { id, label, result: readAnswer(expressionOf(submission)(bundle)) };
    } catch (error) {
      onFault(id, error);
      return { id, label, result: 'unknown' };
    }
  });
}

function readAnswer(answer: readonly unknown[]): CriterionResult['result'] {
  if (answer.length !== 1) return 'unknown';
  return answer[0] === true ? 'met' : answer[0] === false ? 'not-met' : 'unknown';
}

function expressionOf(text: string): Expression {
  const known = compiled.get(text);
  if (known) return known;
  const path = compile(text, r4, { async: false });
  // fhirpath may write type information into its input.
  const expression: Expression = (bundle) => path(structuredClone(bundle));
  compiled.set(text, expression);
  return expression;
}
