import type { Questionnaire, QuestionnaireItem } from '@medplum/fhirtypes';
import type { PayerForm } from '../questionnaires/form-library.ts';

const DTR_ADAPTIVE = 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/dtr-questionnaire-adapt';

/** The form as it stands inside of a response: derived from the one that is found by search, with the questions asked so far. */
export function adaptiveQuestionnaire({ questionnaire }: Pick<PayerForm, 'questionnaire'>, items: readonly QuestionnaireItem[], containedId: string = questionnaire.id): Questionnaire {
  const { url, version, meta: _meta, id: _id, item: _item, ...facts } = questionnaire;
  return { ...facts, id: containedId, meta: { profile: [DTR_ADAPTIVE] }, derivedFrom: [version === undefined ? url : `${url}|${version}`], ...(items.length > 0 ? { item: [...items] } : {}) };
}
