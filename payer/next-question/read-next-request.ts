import type { Questionnaire, QuestionnaireResponse } from '@medplum/fhirtypes';
import type { Validator } from '#fhir/validation/validator.ts';
import { PayerError } from '../payer-error.ts';
import type { AdaptiveForm, AdaptiveStep } from '../questionnaires/adaptive-form.ts';
import type { FormLibrary, PayerForm } from '../questionnaires/form-library.ts';
import { stepsOf } from './question-path.ts';

export interface NextRequest {
  readonly response: QuestionnaireResponse;
  readonly contained: Questionnaire;
  readonly form: PayerForm;
  readonly adaptive: AdaptiveForm;
  /** The steps whose questions the contained form holds. */
  readonly asked: readonly AdaptiveStep[];
}

const BASE_PROFILE = 'http://hl7.org/fhir/StructureDefinition/QuestionnaireResponse';
const MOST_FAULTS = 20;

/** Reads Parameters with one questionnaire-response, or the response as it is. PayerError 400 for what is no running adaptive form of this payer. */
export function readNextRequest(body: unknown, library: FormLibrary, validator: Validator): NextRequest {
  const response = readResponse(body);
  // Structure only: what the rules of either version ask of the answers is looked at by version.
  const faults = validator.validate(response, { profile: BASE_PROFILE }).issues.filter(({ severity, code }) => severity === 'error' && code !== 'invariant');
  if (faults.length > 0) throw new PayerError(400, faults.slice(0, MOST_FAULTS).map(({ code, path, message }) => ({ code: 'structure', rule: code, text: message, expression: path })));
  if (response.status !== 'in-progress') throw new PayerError(400, { code: 'business-rule', text: 'This form is answered already: only a response in progress has a next question.', expression: 'QuestionnaireResponse.status' });

  const id = /^#(.+)$/.exec(response.questionnaire ?? '')?.[1];
  const contained = response.contained?.find((one): one is Questionnaire => one.resourceType === 'Questionnaire' && one.id === id);
  if (!contained) throw new PayerError(400, { code: 'required', text: 'questionnaire names, by #id, the Questionnaire that the response contains.', expression: 'QuestionnaireResponse.questionnaire' });
  const canonical = contained.derivedFrom?.[0] ?? (contained.version === undefined ? contained.url : `${contained.url}|${contained.version}`);
  const form = canonical === undefined ? undefined : library.find(canonical);
  if (!form?.adaptive) {
    throw new PayerError(400, { code: 'not-found', text: 'derivedFrom of the contained Questionnaire names no adaptive form of this payer.', expression: 'QuestionnaireResponse.contained.ofType(Questionnaire).derivedFrom' });
  }
  const asked = stepsOf(form.adaptive, contained.item ?? []);
  if (!asked) throw new PayerError(400, { code: 'business-rule', text: 'The contained Questionnaire is not as it was sent. Send it back unchanged.', expression: 'QuestionnaireResponse.contained.ofType(Questionnaire).item' });
  return { response, contained, form, adaptive: form.adaptive, asked };
}

function readResponse(body: unknown): QuestionnaireResponse {
  if (isResource(body, 'QuestionnaireResponse')) return body as unknown as QuestionnaireResponse;
  const parts: unknown = isResource(body, 'Parameters') ? body['parameter'] : undefined;
  if (!Array.isArray(parts)) throw new PayerError(400, { code: 'structure', text: 'Send a QuestionnaireResponse, or Parameters with one questionnaire-response.', expression: 'Parameters' });
  const found = parts.filter((part: unknown): part is { resource: unknown } => typeof part === 'object' && part !== null && 'name' in part && part.name === 'questionnaire-response' && 'resource' in part);
  const [only, ...more] = found.map(({ resource }) => resource);
  if (more.length > 0 || !isResource(only, 'QuestionnaireResponse')) throw new PayerError(400, { code: 'required', text: 'One questionnaire-response carries the QuestionnaireResponse.', expression: 'Parameters.parameter' });
  return only as unknown as QuestionnaireResponse;
}

function isResource(value: unknown, type: string): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && 'resourceType' in value && value.resourceType === type;
}
