import { type RequestHandler, type Response, Router } from 'express';
import { openValidator, type Validator } from '#fhir/validation/validator.ts';
import { fhirBody, sendResource } from '../fhir-http.ts';
import type { DeterminationRecord } from '../questionnaire-package/determination-record.ts';
import type { FormLibrary } from '../questionnaires/form-library.ts';
import type { ServedAt } from '../questionnaires/serve-form.ts';
import { nextQuestion } from './next-question.ts';
import { readNextRequest } from './read-next-request.ts';

interface NextQuestionOptions {
  readonly at: ServedAt;
  /** With the forms as they are served at this address. */
  readonly library: FormLibrary;
  readonly authorise: RequestHandler;
  /** Epoch milliseconds. */
  readonly now: () => number;
  readonly determinations?: ((caller: Response) => DeterminationRecord) | undefined;
}

/** Questionnaire/$next-question: a response comes in with answers and goes out with more questions, until the payer completes it. */
export function nextQuestionRoutes({ at, library, authorise, now, determinations }: NextQuestionOptions): Router {
  const router = Router();
  let validator: Validator | undefined;
  router.post(`${at.dtr.basePath}/Questionnaire/$next-question`, authorise, ...fhirBody('2mb'), async (req, res) => {
    validator ??= openValidator(['pas-2.0.1']);
    const answer = nextQuestion(readNextRequest(req.body, library, validator), at, now());
    if (answer.kind === 'completed') for (const one of answer.determinations) await determinations?.(res).keep(one);
    sendResource(res, 200, answer.response);
  });
  return router;
}
