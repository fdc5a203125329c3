import type { Questionnaire, QuestionnaireItem } from '@medplum/fhirtypes';
import type { PayerForm } from '../questionnaires/form-library.ts';

const DTR_ADAPTIVE = 'http://hl7.org/fhir/us/davinci-dtr/StructureDefinition/dtr-questionnaire-adapt';

/** The form as it stands inside of a response: derived from the one that is found by search, with the questions asked so far. */
export function adaptiveQuestionnaire({ questionnaire: { id, url, version } }: Pick<PayerForm, 'questionnaire'>, served: Questionnaire, items: readonly QuestionnaireItem[], containedId: string = id): Questionnaire {
  const { url: _url, version: _version, meta: _meta, id: _id, item: _item, ...facts } = served;
  return {
    ...facts,
    id: containedId,
    meta: { profile: [DTR_ADAPTIVE] },
    derivedFrom: [version === undefined ? url : `${url}|${version}`],
    ...(items.length > 0 ? { item: [...items] } : {}),
  };
}
