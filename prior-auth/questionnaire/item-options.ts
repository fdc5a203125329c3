import type { Questionnaire, QuestionnaireItem, ValueSet } from '@medplum/fhirtypes';
import { pickValue } from './answer-value.ts';
import type { AnswerOption, AnswerValue, UnitOption } from './form.ts';
import { readMedia } from './item-media.ts';
import { extensionNamed, extensionsNamed, extensionsOfPrimitive } from './read-extension.ts';

/** The codes of a value set, or `undefined` when they are not all here and have to be searched for. */
export type ResolveValueSet = (canonical: string) => readonly AnswerOption[] | undefined;

/** `valueSets` are the expanded ones of the package; contained ones win. */
export function valueSetResolver(questionnaire: Questionnaire, valueSets: readonly ValueSet[]): ResolveValueSet {
  const contained = (questionnaire.contained ?? []).filter((resource): resource is ValueSet => resource.resourceType === 'ValueSet');
  return (canonical) => {
    const [url, version] = canonical.split('|');
    const found = canonical.startsWith('#')
      ? contained.find((set) => `#${set.id}` === canonical || set.url === canonical)
      : [...contained, ...valueSets].find((set) => set.url === url && (version === undefined || set.version === undefined || set.version === version));
    return found && optionsOf(found);
  };
}

function optionsOf(valueSet: ValueSet): AnswerOption[] | undefined {
  const { expansion, compose } = valueSet;
  const codings = expansion?.contains
    ? expansion.contains.flatMap(flattenContains)
    : (compose?.include ?? []).flatMap((include) => (include.concept ?? []).map((concept) => ({ system: include.system, ...concept })));
  const complete = expansion?.contains
    ? (expansion.total ?? 0) <= codings.length
    : compose !== undefined && !compose.exclude && (compose.include ?? []).every(({ concept, valueSet: sets }) => concept !== undefined && sets === undefined);
  if (!complete) return undefined;
  return codings.flatMap(({ system, code, display }) =>
    code ? [{ value: { valueCoding: { ...(system ? { system } : {}), code, ...(display ? { display } : {}) } }, label: display ?? code, exclusive: false, initial: false }] : []);
}

type Contains = NonNullable<NonNullable<ValueSet['expansion']>['contains']>[number];

function flattenContains(entry: Contains): { system?: string; code?: string; display?: string }[] {
  return [...(entry.abstract ? [] : [entry]), ...(entry.contains ?? []).flatMap(flattenContains)];
}

export function readListedOptions(item: QuestionnaireItem, questionnaire: Questionnaire): AnswerOption[] {
  return (item.answerOption ?? []).map((option): AnswerOption => {
    const value = pickValue(option);
    const beside = option.valueCoding ? extensionsOfPrimitive(option.valueCoding, 'display') ?? option.valueCoding : extensionsOfPrimitive(option, 'valueString');
    const xhtml = (extensionNamed(beside, 'renderingXhtml') ?? extensionNamed(option.valueCoding, 'renderingXhtml') ?? extensionNamed(option, 'renderingXhtml'))?.valueString;
    const prefix = extensionNamed(option, 'optionPrefix')?.valueString;
    const weight = (extensionNamed(option, 'ordinalValue') ?? extensionNamed(option.valueCoding, 'ordinalValue'))?.valueDecimal;
    const media = readMedia(extensionNamed(option, 'itemAnswerMedia')?.valueAttachment, questionnaire);
    return {
      value,
      label: [prefix, labelOf(value)].filter(Boolean).join(' '),
      ...(xhtml ? { labelXhtml: xhtml } : {}),
      ...(weight === undefined ? {} : { weight }),
      ...(media.shown ? { media: media.shown } : {}),
      exclusive: extensionNamed(option, 'optionExclusive')?.valueBoolean === true,
      initial: option.initialSelected === true,
    };
  });
}

function labelOf(value: AnswerValue): string {
  const { valueCoding, valueReference } = value;
  if (valueCoding) return valueCoding.display ?? valueCoding.code ?? '';
  if (valueReference) return valueReference.display ?? valueReference.reference ?? '';
  const { valueString, valueInteger, valueDate, valueTime } = value;
  return String(valueString ?? valueInteger ?? valueDate ?? valueTime ?? '');
}

export function readUnits(item: QuestionnaireItem, resolve: ResolveValueSet): UnitOption[] {
  const codings = [...extensionsNamed(item, 'unitOption'), ...extensionsNamed(item, 'unit')].map(({ valueCoding }) => valueCoding);
  const fromSet = extensionsNamed(item, 'unitValueSet').flatMap(({ valueCanonical }) => (valueCanonical ? (resolve(valueCanonical) ?? []) : [])).map(({ value }) => value.valueCoding);
  const units = [...codings, ...fromSet].flatMap((coding) =>
    coding?.code ? [{ ...(coding.system ? { system: coding.system } : {}), code: coding.code, label: coding.display ?? coding.code }] : []);
  return units.filter((unit, index) => units.findIndex(({ system, code }) => system === unit.system && code === unit.code) === index);
}
