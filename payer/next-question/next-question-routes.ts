import { type RequestHandler, type Response, Router } from 'express';
import type { DeterminationRecord } from '../questionnaire-package/determination-record.ts';
import type { FormLibrary } from '../questionnaires/form-library.ts';
import type { ServedAt } from '../questionnaires/serve-form.ts';
interface NextQuestionOptions {
  readonly at: ServedAt;
  readonly library: FormLibrary;
  readonly authorise: RequestHandler;
  readonly now: () => number;
  readonly determinations?: ((caller: Response) => DeterminationRecord) | undefined;
}
export function nextQuestionRoutes(_options: NextQuestionOptions): Router {
  return Router();
}
