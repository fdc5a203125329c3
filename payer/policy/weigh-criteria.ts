import type { Bundle } from '@medplum/fhirtypes';
import { compile, evaluate } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';
import type { CriterionResult } from './item-review.ts';
import { pickEvidence } from './pick-evidence.ts';
import type { PolicyCriterion, PolicyRevision } from './read-policies.ts';

type Expression = (bundle: Bundle, variables: Record<string, unknown>) => unknown[];
const compiled = new Map<string, Expression>();

export interface WeighedSubmission {
  readonly bundle: Bundle;
  /** YYYY-MM-DD, what `%today` stands for. */
  readonly day: string;
  readonly onFault: (criterionId: string, error: unknown) => void;
}

/** Holds what the bundle carries against each criterion. An empty answer is unknown; so is an expression that fails, which `onFault` hears of. */
export function weighCriteria({ criteria }: Pick<PolicyRevision, 'criteria'>, { bundle, day, onFault }: WeighedSubmission): readonly CriterionResult[] {
  return criteria.map((criterion) => {
    const { id, label } = criterion;
    try {
      const result = readAnswer(answerTo(criterion, bundle, day));
      return result === 'met' ? { id, label, result, basis: readAnswer(answerTo(criterion, withoutAnswers(bundle), day)) === 'met' ? 'records' : 'answers' } : { id, label, result };
    } catch (error) {
      onFault(id, error);
      return { id, label, result: 'unknown' };
    }
  });
}

function answerTo({ evidence: wanted, record, submission }: PolicyCriterion, bundle: Bundle, day: string): readonly unknown[] {
  // fhirpath may write type information into its input.
  const own = structuredClone(bundle);
  if (submission !== undefined) return expressionOf(submission)(own, {});
  const evidence = pickEvidence(own, wanted);
  return evidence.length === 0 ? [] : expressionOf(record)(own, { evidence, today: dateOf(day) });
}

/** What is left when nobody's answers are believed. */
function withoutAnswers(bundle: Bundle): Bundle {
  return { ...bundle, entry: (bundle.entry ?? []).filter(({ resource }) => resource?.resourceType !== 'QuestionnaireResponse') };
}

function readAnswer(answer: readonly unknown[]): CriterionResult['result'] {
  if (answer.length !== 1) return 'unknown';
  return answer[0] === true ? 'met' : answer[0] === false ? 'not-met' : 'unknown';
}

/** The day as the engine's own date, so that `%today - 30 days` can be reckoned. */
function dateOf(day: string): unknown {
  return evaluate({}, `@${day}`, {}, r4, { async: false, resolveInternalTypes: false })[0];
}

function expressionOf(text: string): Expression {
  const known = compiled.get(text);
  if (known) return known;
  const expression = compile(text, r4, { async: false }) as Expression;
  compiled.set(text, expression);
  return expression;
}
