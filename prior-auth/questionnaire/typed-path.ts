import { isRecord } from './answer-value.ts';

/** One item of a response does not say what it is; without that, FHIRPath does not find `value` of an answer. For an evaluator's path argument. */
export function typedPath(expression: string, context: unknown): string | { readonly base: string; readonly expression: string } {
  return isRecord(context) && 'linkId' in context && !('resourceType' in context) ? { base: 'QuestionnaireResponse.item', expression } : expression;
}
