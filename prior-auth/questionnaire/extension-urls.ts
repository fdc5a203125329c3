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
  referenceProfile: [`${H}questionnaire-referenceProfile`],
  optionExclusive: [`${H}questionnaire-optionExclusive`],
  optionPrefix: [`${H}questionnaire-optionPrefix`],
  ordinalValue: [`${H}ordinalValue`, `${H}itemWeight`],
  answerOptionsToggle: [`${S}answerOptionsToggleExpression`],
  openLabel: [`${S}openLabel`],
  choiceOrientation: [`${H}questionnaire-choiceOrientation`],
  sliderStep: [`${H}questionnaire-sliderStepValue`],
  minOccurs: [`${H}questionnaire-minOccurs`],
  maxOccurs: [`${H}questionnaire-maxOccurs`],
  minLength: [`${H}minLength`],
  regex: [`${H}regex`],
  minValue: [`${H}minValue`],
  maxValue: [`${H}maxValue`],
  minQuantity: [`${S}minQuantity`],
  maxQuantity: [`${S}maxQuantity`],
  maxDecimalPlaces: [`${H}maxDecimalPlaces`],
  mimeType: [`${H}mimeType`],
  maxSize: [`${H}maxSize`],
  constraint: [`${H}questionnaire-constraint`, `${H}targetConstraint`],
  renderingXhtml: [`${H}rendering-xhtml`],
  entryFormat: [`${H}entryFormat`],
  shortText: [`${S}shortText`],
  displayCategory: [`${H}questionnaire-displayCategory`],
  usageMode: [`${H}questionnaire-usageMode`],
  collapsible: [`${S}collapsible`],
  itemMedia: [`${S}itemMedia`],
  itemAnswerMedia: [`${S}itemAnswerMedia`],
  signatureRequired: [`${H}questionnaire-signatureRequired`],
  lookupQuestionnaire: [`${S}lookupQuestionnaire`],
  entryMode: [`${S}entryMode`],
  adaptive: [`${S}questionnaireAdaptive`],
  performerType: [`${S}performerType`],
  variable: [`${H}variable`],
  cqfLibrary: [`${H}cqf-library`],
  cqfExpression: [`${H}cqf-expression`],
  launchContext: [`${S}launchContext`],
  itemPopulationContext: [`${S}itemPopulationContext`],
  candidateExpression: [`${S}candidateExpression`],
  contextExpression: [`${S}contextExpression`],
  initialExpression: [`${S}initialExpression`],
  calculatedExpression: [`${S}calculatedExpression`],
  enableWhenExpression: [`${S}enableWhenExpression`],
} as const;

/** Extensions the engine writes into a response. */
export const RESPONSE_EXTENSIONS = {
  signature: `${H}questionnaireresponse-signature`,
  ordinalValue: `${H}ordinalValue`,
  itemAnswerMedia: `${S}itemAnswerMedia`,
} as const;

/** Ours, drafts only: a person emptied this item, so population leaves it empty. Dropped when the form is completed. */
export const ANSWER_CLEARED = 'https://openpriorauth.org/StructureDefinition/answer-cleared';
