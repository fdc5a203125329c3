import type { Expression, Extension, Questionnaire, QuestionnaireItem } from '@medplum/fhirtypes';
import { COMPUTED_ELEMENTS, type ComputedElement } from '#prior-auth/questionnaire/computed-elements.ts';
import { extensionNamed, extensionsNamed, extensionsOfPrimitive, part } from '#prior-auth/questionnaire/read-extension.ts';

/** Ours: an expression whose result is the resources that the item's initialExpression used. */
const EVIDENCE_EXPRESSION = 'https://openpriorauth.org/StructureDefinition/evidence-expression';
const OLD_CALCULATED_VALUE = 'http://hl7.org/fhir/StructureDefinition/cqf-calculatedValue';

/** What the result of an expression is for. `rows`: the collection whose entries repeat the group. */
export type ExpressionPurpose =
  | { readonly kind: 'variable' | 'rows'; readonly name: string }
  | { readonly kind: 'initial' }
  | { readonly kind: 'candidate' }
  | { readonly kind: 'context'; readonly label: string }
  | { readonly kind: 'element'; readonly element: ComputedElement };

export interface FormExpression {
  readonly linkId?: string;
  /** Words for the person: the question. */
  readonly label?: string;
  /** Unique in the form. */
  readonly id: string;
  readonly purpose: ExpressionPurpose;
  readonly expression: Expression;
  readonly evidence?: Expression;
}

/** One element of the form with its expressions; names are visible here and below, nearer ones first (SDC population). */
export interface ExpressionScope {
  /** Absent at the root. */
  readonly item?: QuestionnaireItem;
  readonly expressions: readonly FormExpression[];
  readonly children: readonly ExpressionScope[];
}

export interface NameRepeated { readonly linkId?: string; readonly name: string }

/** The last is found in published content: ELM in place of the text. */
const CQL_LANGUAGES = ['text/cql', 'text/cql-identifier', 'text/cql-expression', 'application/elm+json'];

export function isCql({ language }: Expression): boolean {
  return CQL_LANGUAGES.includes(language ?? '');
}

/** SDC names it; R4's own list of languages does not. */
export function isIdentifier({ language }: { readonly language?: string }): boolean {
  return language === 'text/cql-identifier';
}

export function isQuery({ language }: Expression): boolean {
  return language === 'application/x-fhir-query';
}

export function isFhirPathExpression({ language }: Expression): boolean {
  return language === 'text/fhirpath';
}

/** All expressions of a form that give a value once, when the record is read. The second of two equal names in one element is left out and reported. */
export function readScopes(questionnaire: Questionnaire, repeated: NameRepeated[] = []): ExpressionScope {
  return { expressions: withoutRepeatedNames(named(questionnaire, '', 'root'), undefined, repeated), children: (questionnaire.item ?? []).map((item) => readScope(item, repeated)) };
}

/** All scopes, outer ones first. */
export function flattenScopes(scope: ExpressionScope): ExpressionScope[] {
  return [scope, ...scope.children.flatMap(flattenScopes)];
}

function readScope(item: QuestionnaireItem, repeated: NameRepeated[]): ExpressionScope {
  const linkId = item.linkId ?? '';
  const own: FormExpression[] = [
    ...named(item, linkId, item.type === 'group' && item.repeats === true ? 'rows' : 'group'),
    ...initial(item, linkId),
    ...extensionsNamed(item, 'candidateExpression').flatMap(({ valueExpression }, index) => one(`candidate:${linkId}:${index}`, { kind: 'candidate' }, valueExpression)),
    ...extensionsNamed(item, 'contextExpression').flatMap((extension, index) => contextOf(extension, `context:${linkId}:${index}`)),
    ...COMPUTED_ELEMENTS.flatMap((element) => one(`element:${linkId}:${element}`, { kind: 'element', element }, elementExpression(item, element))),
  ];
  return { item, expressions: withoutRepeatedNames(own, item.linkId, repeated).map((expression) => ({ ...expression, linkId, label: item.text ?? linkId })), children: (item.item ?? []).map((child) => readScope(child, repeated)) };
}

/** `place`: only a group can be repeated; elsewhere the rows are an ordinary collection. */
function named(element: { readonly extension?: Extension[] }, linkId: string, place: 'root' | 'group' | 'rows'): FormExpression[] {
  return [
    ...extensionsNamed(element, 'variable').flatMap(({ valueExpression }, index) => one(`variable:${linkId}:${index}`, { kind: 'variable', name: valueExpression?.name ?? '' }, valueExpression)),
    ...extensionsNamed(element, 'itemPopulationContext').flatMap(({ valueExpression }, index) =>
      one(`rows:${linkId}:${index}`, { kind: place === 'rows' && index === 0 ? 'rows' : 'variable', name: valueExpression?.name ?? '' }, valueExpression)),
  ];
}

/** initialExpression; else calculatedExpression in CQL, which no screen can run; else the old names found in payers' content. */
function initial(item: QuestionnaireItem, linkId: string): FormExpression[] {
  const calculated = extensionNamed(item, 'calculatedExpression')?.valueExpression;
  const old = extensionNamed(item, 'cqfExpression') ?? item.extension?.find(({ url }) => url === OLD_CALCULATED_VALUE);
  const oldExpression = old?.valueExpression ?? (old?.valueString ? { language: 'text/cql' as const, expression: old.valueString } : undefined);
  const expression = extensionNamed(item, 'initialExpression')?.valueExpression ?? (calculated && isCql(calculated) ? calculated : undefined) ?? oldExpression;
  const evidence = item.extension?.find(({ url }) => url === EVIDENCE_EXPRESSION)?.valueExpression;
  return one(`initial:${linkId}`, { kind: 'initial' }, expression, evidence);
}

/** SDC 4 wraps label and expression in the extension; SDC 3 has the expression alone. */
function contextOf(extension: Extension, id: string): FormExpression[] {
  const expression = extension.valueExpression ?? part(extension, 'expression')?.valueExpression;
  return one(id, { kind: 'context', label: part(extension, 'label')?.valueString ?? expression?.description ?? expression?.name ?? '' }, expression);
}

function elementExpression(item: QuestionnaireItem, element: ComputedElement): Expression | undefined {
  return extensionNamed(extensionsOfPrimitive(item, element), 'cqfExpression')?.valueExpression;
}

function one(id: string, purpose: ExpressionPurpose, expression: Expression | undefined, evidence?: Expression): FormExpression[] {
  const unnamed = 'name' in purpose && purpose.name === '';
  return !unnamed && (expression?.expression || expression?.extension) ? [{ id, purpose, expression, ...(evidence?.expression ? { evidence } : {}) }] : [];
}

function withoutRepeatedNames(expressions: readonly FormExpression[], linkId: string | undefined, repeated: NameRepeated[]): FormExpression[] {
  const seen = new Set<string>();
  return expressions.filter(({ purpose }) => {
    if (!('name' in purpose)) return true;
    if (seen.has(purpose.name)) {
      repeated.push({ name: purpose.name, ...(linkId === undefined ? {} : { linkId }) });
      return false;
    }
    seen.add(purpose.name);
    return true;
  });
}
