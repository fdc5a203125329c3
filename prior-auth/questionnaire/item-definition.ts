import type { Expression, Extension, Questionnaire, QuestionnaireItem, QuestionnaireItemEnableWhen, ValueSet } from '@medplum/fhirtypes';
import { pickValue } from './answer-value.ts';
import { QUESTIONNAIRE_EXTENSIONS } from './extension-urls.ts';
import type { AnswerConstraints, AnswerOption, AnswerValue, ItemType, UnitOption } from './form.ts';

/** One questionnaire item, normalised: extensions read, value sets resolved, help children folded in. Made once per form. */
export interface ItemDefinition {
  readonly linkId: string;
  readonly type: ItemType;
  readonly prefix?: string;
  readonly label: string;
  readonly labelXhtml?: string;
  readonly help?: string;
  readonly supportLink?: string;
  readonly hidden: boolean;
  readonly required: boolean;
  readonly readOnly: boolean;
  readonly repeats: boolean;
  readonly control?: string;
  readonly options: readonly AnswerOption[];
  readonly openOptions: boolean;
  readonly units: readonly UnitOption[];
  readonly constraints: AnswerConstraints;
  readonly referenceTypes: readonly string[];
  readonly initial: readonly AnswerValue[];
  readonly enableWhen: readonly QuestionnaireItemEnableWhen[];
  readonly enableBehavior: 'all' | 'any';
  readonly enableWhenExpression?: Expression;
  readonly calculatedExpression?: Expression;
  readonly initialExpression?: Expression;
  readonly variables: readonly Expression[];
  readonly source: QuestionnaireItem;
  readonly items: readonly ItemDefinition[];
}

type ExtensionName = keyof typeof QUESTIONNAIRE_EXTENSIONS;
interface Extended { readonly extension?: readonly Extension[] }

export function extensionsNamed(element: Extended | undefined, name: ExtensionName): Extension[] {
  const urls: readonly string[] = QUESTIONNAIRE_EXTENSIONS[name];
  return (element?.extension ?? []).filter((extension) => urls.includes(extension.url ?? ''));
}

export function extensionNamed(element: Extended | undefined, name: ExtensionName): Extension | undefined {
  return extensionsNamed(element, name)[0];
}

/** Reads the items of a questionnaire in order. `valueSets` are the expanded ones of the package; contained ones win. */
export function readDefinitions(questionnaire: Questionnaire, valueSets: readonly ValueSet[] = []): readonly ItemDefinition[] {
  const resolve = valueSetResolver(questionnaire, valueSets);
  return (questionnaire.item ?? []).map((item) => readItem(item, resolve));
}

type ResolveValueSet = (canonical: string) => readonly AnswerOption[];

function valueSetResolver(questionnaire: Questionnaire, valueSets: readonly ValueSet[]): ResolveValueSet {
  const contained = (questionnaire.contained ?? []).filter((resource): resource is ValueSet => resource.resourceType === 'ValueSet');
  return (canonical) => {
    const [url, version] = canonical.split('|');
    const found = canonical.startsWith('#')
      ? contained.find((set) => `#${set.id}` === canonical || set.url === canonical)
      : [...contained, ...valueSets].find((set) => set.url === url && (version === undefined || set.version === undefined || set.version === version));
    return found ? optionsOf(found) : [];
  };
}

function optionsOf(valueSet: ValueSet): AnswerOption[] {
  const codings = valueSet.expansion?.contains
    ? valueSet.expansion.contains.flatMap(flattenContains)
    : (valueSet.compose?.include ?? []).flatMap((include) => (include.concept ?? []).map((concept) => ({ system: include.system, ...concept })));
  return codings.flatMap(({ system, code, display }) =>
    code ? [{ value: { valueCoding: { ...(system ? { system } : {}), code, ...(display ? { display } : {}) } }, label: display ?? code, exclusive: false, initial: false }] : []);
}

type Contains = NonNullable<NonNullable<ValueSet['expansion']>['contains']>[number];

function flattenContains(entry: Contains): { system?: string; code?: string; display?: string }[] {
  return [...(entry.abstract ? [] : [entry]), ...(entry.contains ?? []).flatMap(flattenContains)];
}

function readItem(item: QuestionnaireItem, resolve: ResolveValueSet): ItemDefinition {
  const control = extensionNamed(item, 'itemControl')?.valueCodeableConcept?.coding?.[0]?.code;
  const children = item.item ?? [];
  const help = children.filter((child) => child.type === 'display' && item.type !== 'group').map((child) => child.text).filter(Boolean).join(' ');
  const groupHelp = item.type === 'group' ? children.filter(isHelp) : [];
  const supportLink = extensionNamed(item, 'supportLink')?.valueUri;
  const labelXhtml = extensionNamed((item as { _text?: Extended })._text, 'renderingXhtml')?.valueString;
  const words = help || groupHelp.map((child) => child.text).join(' ');
  const expression = (name: ExtensionName) => extensionNamed(item, name)?.valueExpression;
  const enableWhenExpression = expression('enableWhenExpression');
  const calculatedExpression = expression('calculatedExpression');
  const initialExpression = expression('initialExpression');
  return {
    linkId: item.linkId ?? '',
    type: item.type ?? 'string',
    ...(item.prefix ? { prefix: item.prefix } : {}),
    label: item.text ?? '',
    ...(labelXhtml ? { labelXhtml } : {}),
    ...(words ? { help: words } : {}),
    ...(supportLink ? { supportLink } : {}),
    hidden: extensionNamed(item, 'hidden')?.valueBoolean === true,
    required: item.required === true,
    readOnly: item.readOnly === true,
    repeats: item.repeats === true,
    ...(control ? { control } : {}),
    options: readOptions(item, resolve),
    openOptions: item.type === 'open-choice',
    units: readUnits(item, resolve),
    constraints: readConstraints(item),
    referenceTypes: extensionsNamed(item, 'referenceResource').flatMap(({ valueCode }) => (valueCode ? [valueCode] : [])),
    initial: (item.initial ?? []).map((initial) => pickValue(initial)),
    enableWhen: item.enableWhen ?? [],
    // R4 que-12 wants enableBehavior when there are several; without it the safer reading is that all must hold.
    enableBehavior: item.enableBehavior ?? 'all',
    ...(enableWhenExpression ? { enableWhenExpression } : {}),
    ...(calculatedExpression ? { calculatedExpression } : {}),
    ...(initialExpression ? { initialExpression } : {}),
    variables: extensionsNamed(item, 'variable').flatMap(({ valueExpression }) => (valueExpression ? [valueExpression] : [])),
    source: item,
    items: children.filter((child) => (item.type === 'group' ? !isHelp(child) : child.type !== 'display')).map((child) => readItem(child, resolve)),
  };
}

function isHelp(item: QuestionnaireItem): boolean {
  const control = extensionNamed(item, 'itemControl')?.valueCodeableConcept?.coding?.[0]?.code;
  return item.type === 'display' && ['help', 'flyover', 'instructions'].includes(control ?? '');
}

function readOptions(item: QuestionnaireItem, resolve: ResolveValueSet): AnswerOption[] {
  const listed = (item.answerOption ?? []).map((option): AnswerOption => {
    const value = pickValue(option);
    return { value, label: labelOf(value), exclusive: extensionNamed(option, 'optionExclusive')?.valueBoolean === true, initial: option.initialSelected === true };
  });
  return [...listed, ...(item.answerValueSet ? resolve(item.answerValueSet) : [])];
}

function labelOf(value: AnswerValue): string {
  const { valueCoding, valueReference } = value;
  if (valueCoding) return valueCoding.display ?? valueCoding.code ?? '';
  if (valueReference) return valueReference.display ?? valueReference.reference ?? '';
  const { valueString, valueInteger, valueDate, valueTime } = value;
  return String(valueString ?? valueInteger ?? valueDate ?? valueTime ?? '');
}

function readUnits(item: QuestionnaireItem, resolve: ResolveValueSet): UnitOption[] {
  const codings = [...extensionsNamed(item, 'unitOption'), ...extensionsNamed(item, 'unit')].map(({ valueCoding }) => valueCoding);
  const fromSet = extensionsNamed(item, 'unitValueSet').flatMap(({ valueCanonical }) => (valueCanonical ? resolve(valueCanonical) : [])).map(({ value }) => value.valueCoding);
  return [...codings, ...fromSet].flatMap((coding) =>
    coding?.code ? [{ ...(coding.system ? { system: coding.system } : {}), code: coding.code, label: coding.display ?? coding.code }] : []);
}

function readConstraints(item: QuestionnaireItem): AnswerConstraints {
  const constraints: { -readonly [K in keyof AnswerConstraints]: AnswerConstraints[K] } = {};
  const min = bound(extensionNamed(item, 'minValue')) ?? extensionNamed(item, 'minQuantity')?.valueQuantity?.value;
  const max = bound(extensionNamed(item, 'maxValue')) ?? extensionNamed(item, 'maxQuantity')?.valueQuantity?.value;
  if (min !== undefined) constraints.min = min;
  if (max !== undefined) constraints.max = max;
  if (item.maxLength !== undefined) constraints.maxLength = item.maxLength;
  const whole = { minLength: 'minLength', maxDecimalPlaces: 'maxDecimalPlaces', minOccurs: 'minOccurs', maxOccurs: 'maxOccurs' } as const;
  for (const [key, name] of Object.entries(whole) as [keyof typeof whole, ExtensionName][]) {
    const value = extensionNamed(item, name)?.valueInteger;
    if (value !== undefined) constraints[key] = value;
  }
  const regex = extensionNamed(item, 'regex')?.valueString;
  if (regex) constraints.regex = regex;
  return constraints;
}

function bound(extension: Extension | undefined): number | string | undefined {
  if (!extension) return undefined;
  return extension.valueInteger ?? extension.valueDecimal ?? extension.valueDate ?? extension.valueDateTime ?? extension.valueQuantity?.value;
}

/** FHIRPath expressions are the engine's; CQL is run by the server's population. */
export function isFhirPath(expression: Expression | undefined): boolean {
  return expression?.language === 'text/fhirpath' && Boolean(expression.expression);
}

