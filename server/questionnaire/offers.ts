import type { FormView, OfferedAnswer, OfferedAnswers, OfferedContext } from '#prior-auth/panel-api.ts';
import { isRecord, toAnswerValue, valueOf } from '#prior-auth/questionnaire/answer-value.ts';
import type { ItemDefinition } from '#prior-auth/questionnaire/item-definition.ts';
import { conceptOf, evidenceOf, textOf } from './evidence.ts';
import type { ExpressionOutcome } from './populate-fhirpath.ts';

/** What is listed for one question; a person who needs more opens the record. */
const MOST_OFFERED = 50;

/** Results of candidateExpression and contextExpression by linkId. */
export function offersOf(outcomes: readonly ExpressionOutcome[], definitions: ReadonlyMap<string, ItemDefinition>): NonNullable<FormView['offers']> {
  const offers: Record<string, { candidates: OfferedAnswer[]; context: OfferedContext[] }> = {};
  for (const { expression: { purpose, linkId = '' }, values } of outcomes) {
    if (purpose.kind !== 'candidate' && purpose.kind !== 'context') continue;
    const offered = (offers[linkId] ??= { candidates: [], context: [] });
    const definition = definitions.get(linkId);
    if (purpose.kind === 'candidate') {
      if (definition) offered.candidates.push(...distinct(values.flatMap((value) => candidateOf(definition, value))).slice(0, MOST_OFFERED));
    } else {
      const entries = values.slice(0, MOST_OFFERED).flatMap((value) => {
        const text = textOf(value);
        const [source] = evidenceOf([value]);
        return text === undefined ? [] : [{ text, ...(source ? { source } : {}) }];
      });
      if (entries.length > 0) offered.context.push({ label: purpose.label, entries });
    }
  }
  return Object.fromEntries(Object.entries(offers).filter(([, { candidates, context }]: [string, OfferedAnswers]) => candidates.length > 0 || context.length > 0));
}

function candidateOf(definition: ItemDefinition, result: unknown): OfferedAnswer[] {
  const isEntry = isRecord(result) && typeof result['resourceType'] === 'string';
  // An entry offered for a coded question means what it is about.
  const given = isEntry && definition.type !== 'reference' && definition.type !== 'attachment' ? conceptOf(result) : result;
  // A candidate is offered beside the form's own options, not out of them.
  const value = toAnswerValue({ ...definition, openOptions: definition.openOptions || definition.options.length > 0 }, given);
  const label = textOf(result);
  if (!value || label === undefined) return [];
  const [source] = evidenceOf([result]);
  const named = value.valueReference && !value.valueReference.display ? { valueReference: { ...value.valueReference, display: label } } : value;
  return [{ value: named, label, ...(source ? { source } : {}) }];
}

function distinct(offered: readonly OfferedAnswer[]): OfferedAnswer[] {
  return [...new Map(offered.map((one) => [JSON.stringify(valueOf(one.value)), one])).values()];
}
