const H = 'http://hl7.org/fhir/StructureDefinition/';
const S = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';

/** Questionnaire extensions the engine acts on: the first URL is current, the others are older or newer names of the same thing. */
export const QUESTIONNAIRE_EXTENSIONS = {
  hidden: [`${H}questionnaire-hidden`],
  itemControl: [`${H}questionnaire-itemControl`],
  supportLink: [`${H}questionnaire-supportLink`, `${H}questionnaire-supportHyperlink`],
  unit: [`${H}questionnaire-unit`],
  unitOption: [`${H}questionnaire-unitOption`],
  unitValueSet: [`${H}questionnaire-unitValueSet`],
  referenceResource: [`${H}questionnaire-referenceResource`],
  optionExclusive: [`${H}questionnaire-optionExclusive`],
  minOccurs: [`${H}questionnaire-minOccurs`],
  maxOccurs: [`${H}questionnaire-maxOccurs`],
  minLength: [`${H}minLength`],
  regex: [`${H}regex`],
  minValue: [`${H}minValue`],
  maxValue: [`${H}maxValue`],
  minQuantity: [`${S}minQuantity`],
  maxQuantity: [`${S}maxQuantity`],
  maxDecimalPlaces: [`${H}maxDecimalPlaces`],
  renderingXhtml: [`${H}rendering-xhtml`],
  variable: [`${H}variable`],
  cqfLibrary: [`${H}cqf-library`],
  launchContext: [`${S}launchContext`],
  initialExpression: [`${S}initialExpression`],
  calculatedExpression: [`${S}calculatedExpression`],
  enableWhenExpression: [`${S}enableWhenExpression`],
} as const;

/** Ours, drafts only: a person emptied this item, so population leaves it empty. Dropped when the form is completed. */
export const ANSWER_CLEARED = 'https://openpriorauth.org/StructureDefinition/answer-cleared';
