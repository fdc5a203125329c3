import { withoutSlashes } from '#fhir/base/reference.ts';
import type { OperationOutcome, Parameters, QuestionnaireResponse } from '@medplum/fhirtypes';
import type { PayerProblem } from '#prior-auth/panel-api.ts';
import { readPayerResponse } from '#prior-auth/questionnaire/dtr-versions/read-payer-response.ts';
import { writeResponse } from '#prior-auth/questionnaire/dtr-versions/write-response.ts';
import { callOperation, operationUrl, type PayerAccess, refusal } from './payer-operation.ts';
import { answerResources, isResource, unreadable } from './read-package.ts';

export type NextQuestionAnswer =
  | { readonly kind: 'response'; readonly response: QuestionnaireResponse }
  /** 400 and 422: what the payer does not accept. */
  | { readonly kind: 'problems'; readonly problems: readonly PayerProblem[] };

/** 2.2.0 expects 5 s for the first call; three times that. */
const TIMEOUT_MS = 15_000;
const WHAT = 'its next questions';

/** Sends what was answered so far with the questions as last received. Throws PAYER_UNAVAILABLE, PAYER_REFUSED, PAYER_ANSWER_UNREADABLE. */
export async function askNextQuestion(access: PayerAccess, adaptiveBase: string | undefined, response: QuestionnaireResponse): Promise<NextQuestionAnswer> {
  // What is configured for the payer goes before what its form says of itself.
  const base = access.dtr.operations?.nextQuestion === undefined && adaptiveBase !== undefined ? withoutSlashes(adaptiveBase) : undefined;
  const url = operationUrl(base === undefined ? access : { ...access, base }, 'nextQuestion');
  const body: Parameters = { resourceType: 'Parameters', parameter: [{ name: 'questionnaire-response', resource: writeResponse(access.dtr.version, response) }] };
  const reply = await callOperation(access.fetch, url, body, TIMEOUT_MS, WHAT);
  if (reply.kind === 'refused') {
    const problems = reply.status === 400 || reply.status === 422 ? readProblems(reply.outcome) : [];
    if (problems.length === 0) throw refusal(reply, WHAT);
    return { kind: 'problems', problems };
  }
  const received = answerResources(reply.body)?.find((resource): resource is QuestionnaireResponse => isResource(resource, 'QuestionnaireResponse'));
  if (!received) throw unreadable('The payer’s answer holds no next questions that can be read.');
  return { kind: 'response', response: readPayerResponse(received) };
}

/** An issue's place is a FHIRPath or a plain linkId; `linkId='3.1'` occurs in both. */
function readProblems(outcome: OperationOutcome | undefined): PayerProblem[] {
  return (Array.isArray(outcome?.issue) ? outcome.issue : []).flatMap((issue): PayerProblem[] => {
    const message = issue?.details?.text ?? issue?.diagnostics;
    if (typeof message !== 'string' || message === '') return [];
    const places = [...(issue.expression ?? []), ...(issue.location ?? []), message].filter((place) => typeof place === 'string');
    const linkId = places.map((place) => /linkId\s*(?:=|:|is)?\s*['"“]([^'"”]+)['"”]/.exec(place)?.[1]).find((found) => found !== undefined);
    return [{ message: message.slice(0, 500), ...(linkId === undefined ? {} : { linkId }) }];
  });
}
