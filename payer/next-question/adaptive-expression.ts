import { compile } from 'fhirpath';
import r4 from 'fhirpath/fhir-context/r4';

/** The answers given so far: linkId to values, none for a question that was not asked or not answered. */
export type AnswerValues = Readonly<Record<string, readonly unknown[]>>;

type Expression = (input: object, variables: Record<string, unknown>) => unknown[];
const compiled = new Map<string, Expression>();

/** What an expression of an adaptive form comes to; the answers are its variables: %`linkId`. @throws when it cannot be parsed or fails. */
export function valueOf(expression: string, answers: AnswerValues): readonly unknown[] {
  // fhirpath may write type information into its input.
  return expressionOf(expression)({}, structuredClone(answers));
}

export function holds(expression: string, answers: AnswerValues): boolean {
  const value = valueOf(expression, answers);
  return value.length === 1 && value[0] === true;
}

function expressionOf(text: string): Expression {
  const known = compiled.get(text);
  if (known) return known;
  const expression = compile(text, r4, { async: false }) as Expression;
  compiled.set(text, expression);
  return expression;
}
