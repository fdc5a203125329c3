import type { Expression, Extension, Questionnaire, QuestionnaireItem, QuestionnaireItemEnableWhen, ValueSet } from '@medplum/fhirtypes';
import { ITEM_TYPES, pickValue } from './answer-value.ts';
import type { AnswerConstraints, AnswerValue, ItemType, ShownItem, SupportLink } from './form.ts';
import { readMedia } from './item-media.ts';
import { readListedOptions, readUnits, type ResolveValueSet, valueSetResolver } from './item-options.ts';
import { type ExtensionName, extensionNamed, extensionsNamed, extensionsOfPrimitive, isFhirPath, part } from './read-extension.ts';

/** One questionnaire item, normalised: extensions read, value sets resolved, help children folded in. Made once per form. */
export interface ItemDefinition extends ItemLook {
  readonly hidden: boolean;
  readonly initial: readonly AnswerValue[];
  readonly enableWhen: readonly QuestionnaireItemEnableWhen[];
  readonly enableBehavior: 'all' | 'any';
  readonly enableWhenExpression?: Expression;
  readonly calculatedExpression?: Expression;
  readonly variables: readonly Expression[];
  readonly constraintRules: readonly ConstraintRule[];
  readonly toggles: readonly OptionToggle[];
  /** FHIRPath for text, required and readOnly (cqf-expression on the element). */
  readonly elementExpressions: { readonly label?: Expression; readonly required?: Expression; readonly readOnly?: Expression };
  readonly signatureType?: SignatureType;
  readonly source: QuestionnaireItem;
  readonly items: readonly ItemDefinition[];
}

/** What the screen is shown as it stands in the form. */
export type ItemLook = Omit<ShownItem, 'path' | 'answers' | 'problems' | 'items' | 'instance' | 'signature'>;

export interface ConstraintRule {
  readonly expression: Expression;
  readonly human: string;
  readonly blocking: boolean;
}

/** These options are offered while the expression holds. */
export interface OptionToggle { readonly options: readonly AnswerValue[]; readonly expression: Expression }
export interface SignatureType { readonly system?: string; readonly code?: string; readonly display?: string }

export function readDefinitions(questionnaire: Questionnaire, valueSets: readonly ValueSet[] = []): readonly ItemDefinition[] {
  const resolve = valueSetResolver(questionnaire, valueSets);
  return (questionnaire.item ?? []).map((item) => readItem(item, questionnaire, resolve));
}

/** Display children that say something about their parent instead of standing by themselves. */
const HINT_CONTROLS: Readonly<Record<string, 'help' | 'prompt' | 'unitText' | 'lowerLabel' | 'upperLabel'>> = {
  help: 'help', flyover: 'help', instructions: 'help', prompt: 'prompt', unit: 'unitText', lower: 'lowerLabel', upper: 'upperLabel',
};

function readItem(item: QuestionnaireItem, questionnaire: Questionnaire, resolve: ResolveValueSet): ItemDefinition {
  const { type, unknown } = readType(item);
  const control = controlOf(item);
  const children = item.item ?? [];
  const isHint = (child: QuestionnaireItem) => child.type === 'display' && (type !== 'group' || HINT_CONTROLS[controlOf(child) ?? ''] !== undefined);
  const media = readMedia(extensionNamed(item, 'itemMedia')?.valueAttachment, questionnaire);
  const links = [...supportLinks(item), ...(media.link ? [media.link] : []), ...children.filter(isHint).flatMap(supportLinks)];
  const labelXhtml = extensionNamed(extensionsOfPrimitive(item, 'text'), 'renderingXhtml')?.valueString;
  const inSet = item.answerValueSet === undefined ? [] : resolve(item.answerValueSet);
  const signatureType = readSignatureType(extensionNamed(item, 'signatureRequired'));
  const usage = extensionNamed(item, 'usageMode')?.valueCode;
  return {
    linkId: item.linkId ?? '',
    type,
    ...(unknown ? { unknownType: unknown } : {}),
    ...textOf('prefix', item.prefix),
    label: item.text ?? '',
    ...textOf('labelXhtml', labelXhtml),
    ...textOf('shortText', extensionNamed(item, 'shortText')?.valueString),
    ...readHints(children.filter(isHint)),
    ...textOf('entryFormat', extensionNamed(item, 'entryFormat')?.valueString),
    ...textOf('openLabel', extensionNamed(item, 'openLabel')?.valueString),
    ...textOf('displayCategory', extensionNamed(item, 'displayCategory')?.valueCodeableConcept?.coding?.[0]?.code),
    ...textOf('usageMode', usage),
    ...textOf('lookupQuestionnaire', canonicalOf(extensionNamed(item, 'lookupQuestionnaire'))),
    ...collapsibleOf(extensionNamed(item, 'collapsible')?.valueCode),
    supportLinks: links,
    ...(media.shown ? { media: media.shown } : {}),
    hidden: extensionNamed(item, 'hidden')?.valueBoolean === true,
    required: item.required === true,
    // questionnaire-usageMode display and display-non-empty are not for entry.
    readOnly: item.readOnly === true || usage === 'display' || usage === 'display-non-empty',
    repeats: item.repeats === true,
    ...textOf('control', control),
    ...(extensionNamed(item, 'choiceOrientation')?.valueCode === 'horizontal' ? { horizontal: true } : {}),
    options: [...readListedOptions(item, questionnaire), ...(inSet ?? [])],
    searchOptions: inSet === undefined,
    openOptions: item.type === 'open-choice',
    units: readUnits(item, resolve),
    constraints: readConstraints(item),
    referenceTypes: extensionsNamed(item, 'referenceResource').flatMap(({ valueCode }) => (valueCode ? [valueCode] : [])),
    referenceProfiles: extensionsNamed(item, 'referenceProfile').flatMap((extension) => canonicalOf(extension) ?? []),
    initial: (item.initial ?? []).map((initial) => pickValue(initial)),
    enableWhen: item.enableWhen ?? [],
    // R4 que-12 wants enableBehavior when there are several; without it the safer reading is that all must hold.
    enableBehavior: item.enableBehavior ?? 'all',
    ...expressionOf('enableWhenExpression', item),
    ...expressionOf('calculatedExpression', item),
    variables: extensionsNamed(item, 'variable').flatMap(({ valueExpression }) => valueExpression ?? []),
    constraintRules: readConstraintRules(item),
    toggles: readToggles(item),
    elementExpressions: {
      ...elementExpression('label', item, 'text'), ...elementExpression('required', item, 'required'), ...elementExpression('readOnly', item, 'readOnly'),
    },
    ...(signatureType ? { signatureType } : {}),
    source: item,
    items: children.filter((child) => !isHint(child)).map((child) => readItem(child, questionnaire, resolve)),
  };
}

/** A type of a later FHIR version, or of nobody: shown as text, or as a group when it has children, and said. */
function readType(item: QuestionnaireItem): { readonly type: ItemType; readonly unknown?: string } {
  const type: string = item.type ?? 'string';
  if (type === 'coding') return { type: 'choice' };
  const known = ITEM_TYPES.find((one) => one === type);
  if (known) return { type: known };
  return { type: (item.item ?? []).length > 0 ? 'group' : 'question', unknown: type };
}

function controlOf(item: QuestionnaireItem): string | undefined {
  const concept = extensionNamed(item, 'itemControl')?.valueCodeableConcept;
  return concept?.coding?.find(({ code }) => code)?.code ?? concept?.text;
}

function textOf<K extends string>(key: K, value: string | undefined): { readonly [P in K]?: string } {
  return (value ? { [key]: value } : {}) as { readonly [P in K]?: string };
}

function collapsibleOf(code: string | undefined): Pick<ItemLook, 'collapsible'> {
  return code === 'default-open' || code === 'default-closed' ? { collapsible: code } : {};
}

function canonicalOf(extension: Extension | undefined): string | undefined {
  return extension?.valueCanonical ?? extension?.valueUri ?? extension?.valueUrl ?? extension?.valueReference?.reference;
}

function readHints(children: readonly QuestionnaireItem[]): Partial<Record<'help' | 'prompt' | 'unitText' | 'lowerLabel' | 'upperLabel', string>> {
  const hints: Partial<Record<'help' | 'prompt' | 'unitText' | 'lowerLabel' | 'upperLabel', string>> = {};
  for (const child of children) {
    if (!child.text || extensionNamed(child, 'hidden')?.valueBoolean === true) continue;
    const kind = HINT_CONTROLS[controlOf(child) ?? ''] ?? 'help';
    hints[kind] = [hints[kind], child.text].filter(Boolean).join(' ');
  }
  return hints;
}

/** 2.0.1 supportLink is an address; the later supportHyperlink has a label beside it. */
function supportLinks(item: QuestionnaireItem): SupportLink[] {
  return extensionsNamed(item, 'supportLink').flatMap((extension) => {
    const link = part(extension, 'link') ?? extension;
    const url = link.valueUri ?? link.valueUrl;
    return url && /^https?:\/\//i.test(url) ? [{ url, ...textOf('label', part(extension, 'label')?.valueString) }] : [];
  });
}

export function readSignatureType(required: Extension | undefined): SignatureType | undefined {
  return required && (required.valueCodeableConcept?.coding?.[0] ?? {});
}

export function readConstraintRules(element: { readonly extension?: readonly Extension[] | undefined }): ConstraintRule[] {
  return extensionsNamed(element, 'constraint').flatMap((rule) => {
    const given = part(rule, 'expression');
    const expression: Expression | undefined = given?.valueExpression ?? (given?.valueString ? { language: 'text/fhirpath', expression: given.valueString } : undefined);
    return isFhirPath(expression) ? [{ expression, human: part(rule, 'human')?.valueString ?? '', blocking: part(rule, 'severity')?.valueCode !== 'warning' }] : [];
  });
}

function readToggles(item: QuestionnaireItem): OptionToggle[] {
  return extensionsNamed(item, 'answerOptionsToggle').flatMap((toggle) => {
    const expression = part(toggle, 'expression')?.valueExpression;
    const options = (toggle.extension ?? []).filter(({ url }) => url === 'option').map((option) => pickValue(option));
    return isFhirPath(expression) && options.length > 0 ? [{ options, expression }] : [];
  });
}

function expressionOf<K extends 'enableWhenExpression' | 'calculatedExpression'>(name: K, item: QuestionnaireItem): { readonly [P in K]?: Expression } {
  const expression = extensionNamed(item, name)?.valueExpression;
  return (expression ? { [name]: expression } : {}) as { readonly [P in K]?: Expression };
}

function elementExpression<K extends string>(key: K, item: QuestionnaireItem, property: string): { readonly [P in K]?: Expression } {
  const expression = extensionNamed(extensionsOfPrimitive(item, property), 'cqfExpression')?.valueExpression;
  return (isFhirPath(expression) ? { [key]: expression } : {}) as { readonly [P in K]?: Expression };
}

function readConstraints(item: QuestionnaireItem): AnswerConstraints {
  const constraints: { -readonly [K in keyof AnswerConstraints]: AnswerConstraints[K] } = {};
  const [minQuantity, maxQuantity] = [extensionNamed(item, 'minQuantity')?.valueQuantity, extensionNamed(item, 'maxQuantity')?.valueQuantity];
  const min = bound(extensionNamed(item, 'minValue')) ?? minQuantity?.value;
  const max = bound(extensionNamed(item, 'maxValue')) ?? maxQuantity?.value;
  const unit = minQuantity?.code ?? minQuantity?.unit ?? maxQuantity?.code ?? maxQuantity?.unit;
  if (min !== undefined) constraints.min = min;
  if (max !== undefined) constraints.max = max;
  if (unit !== undefined) constraints.rangeUnit = unit;
  if (item.maxLength !== undefined) constraints.maxLength = item.maxLength;
  const whole = { minLength: 'minLength', maxDecimalPlaces: 'maxDecimalPlaces', minOccurs: 'minOccurs', maxOccurs: 'maxOccurs', sliderStep: 'sliderStep' } as const;
  for (const [key, name] of Object.entries(whole) as [keyof typeof whole, ExtensionName][]) {
    const value = extensionNamed(item, name)?.valueInteger;
    if (value !== undefined) constraints[key] = value;
  }
  const regex = extensionNamed(item, 'regex')?.valueString;
  if (regex) constraints.regex = regex;
  const mimeTypes = extensionsNamed(item, 'mimeType').flatMap(({ valueCode }) => valueCode ?? []);
  if (mimeTypes.length > 0) constraints.mimeTypes = mimeTypes;
  const maxSize = extensionNamed(item, 'maxSize')?.valueDecimal;
  if (maxSize !== undefined) constraints.maxSizeMb = maxSize;
  return constraints;
}

function bound(extension: Extension | undefined): number | string | undefined {
  if (!extension) return undefined;
  return extension.valueInteger ?? extension.valueDecimal ?? extension.valueDate ?? extension.valueDateTime ?? extension.valueTime ?? extension.valueQuantity?.value;
}
