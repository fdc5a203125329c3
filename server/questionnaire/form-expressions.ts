import type { Expression, Questionnaire, QuestionnaireItem } from '@medplum/fhirtypes';
import { extensionNamed, extensionsNamed } from '#prior-auth/questionnaire/item-definition.ts';

/** Ours: an expression whose result is the resources that the item's initialExpression used. */
export const EVIDENCE_EXPRESSION = 'https://openpriorauth.org/StructureDefinition/evidence-expression';
/** Old names found in payers' content. */
const OLD_EXPRESSIONS = ['http://hl7.org/fhir/StructureDefinition/cqf-expression', 'http://hl7.org/fhir/StructureDefinition/cqf-calculatedValue'];

export interface ItemExpression {
  readonly linkId: string;
  readonly label: string;
  readonly expression: Expression;
  readonly evidence?: Expression;
}

const CQL_LANGUAGES = ['text/cql', 'text/cql-identifier', 'text/cql-expression'];

export function isCql({ language }: Expression): boolean {
  return CQL_LANGUAGES.includes(language ?? '');
}

/** Expressions that give a first value: initialExpression, and calculatedExpression when it is CQL, which no screen can run. */
export function itemExpressions(questionnaire: Questionnaire): ItemExpression[] {
  return (questionnaire.item ?? []).flatMap(function read(item: QuestionnaireItem): ItemExpression[] {
    const calculated = extensionNamed(item, 'calculatedExpression')?.valueExpression;
    const old = item.extension?.find(({ url }) => OLD_EXPRESSIONS.includes(url ?? ''));
    const oldExpression = old?.valueExpression ?? (old?.valueString ? { language: 'text/cql' as const, expression: old.valueString } : undefined);
    const expression = extensionNamed(item, 'initialExpression')?.valueExpression ?? (calculated && isCql(calculated) ? calculated : undefined) ?? oldExpression;
    const evidence = item.extension?.find(({ url }) => url === EVIDENCE_EXPRESSION)?.valueExpression;
    const own = expression?.expression && item.linkId ? [{ linkId: item.linkId, label: item.text ?? item.linkId, expression, ...(evidence ? { evidence } : {}) }] : [];
    return [...own, ...(item.item ?? []).flatMap(read)];
  });
}

/** Root variables in document order. */
export function rootVariables(questionnaire: Questionnaire): Expression[] {
  return extensionsNamed(questionnaire, 'variable').flatMap(({ valueExpression }) => (valueExpression?.name && valueExpression.expression ? [valueExpression] : []));
}
