import type { ErrorRequestHandler, Response } from 'express';
import type { Logger } from 'pino';
import { PriorAuthError, type PriorAuthErrorCode } from '#prior-auth/errors.ts';
import type { ErrorReply } from '#prior-auth/panel-api.ts';
import { FormChanged } from './store/forms.ts';

export const STATUS_OF_ERROR: Readonly<Record<PriorAuthErrorCode, number>> = {
  CASE_NOT_FOUND: 404,
  CASE_CONFLICT: 409,
  CASE_STEP_NOT_ALLOWED: 409,
  ORDER_NOT_FOUND: 404,
  ORDER_UNREADABLE: 422,
  COVERAGE_NOT_FOUND: 422,
  PAYER_NOT_CONFIGURED: 422,
  FORM_NOT_FOUND: 404,
  FORM_CHANGED: 409,
  HAND_OVER_NOT_FOUND: 404,
  QUESTIONNAIRE_UNAVAILABLE: 502,
  QUESTIONNAIRE_INCOMPLETE: 422,
  POPULATION_FAILED: 502,
  PAS_BUNDLE_INCOMPLETE: 422,
  PAS_BUNDLE_INVALID: 422,
  PAYER_REFUSED: 502,
  PAYER_UNAVAILABLE: 503,
  PAYER_ANSWER_UNREADABLE: 502,
  EHR_UNAVAILABLE: 503,
  EHR_REFUSED: 502,
  SOURCE_NOT_FOUND: 404,
  SESSION_EXPIRED: 401,
  LAUNCH_REFUSED: 400,
  REQUEST_INVALID: 400,
  MODEL_UNAVAILABLE: 503,
};

export function sendError(response: Response, status: number, code: string, message: string, nextStep?: string): void {
  const reply: ErrorReply = { error: { code, message, ...(nextStep ? { nextStep } : {}) } };
  response.status(status).json(reply);
}

/** The last stop of our JSON APIs. A fault that is not ours is logged with its stack and answered without. */
export function answerErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, _request, response, next) => {
    if (response.headersSent) return next(error);
    if (error instanceof PriorAuthError) {
      const status = STATUS_OF_ERROR[error.code];
      if (status >= 500) log.warn({ err: error, code: error.code }, 'request failed');
      if (error instanceof FormChanged) {
        const { code, message, nextStep, current } = error;
        response.status(status).json({ error: { code, message, ...(nextStep ? { nextStep } : {}), current } } satisfies ErrorReply);
        return;
      }
      return sendError(response, status, error.code, error.message, error.nextStep);
    }
    const status = expressStatus(error);
    if (status === 413) return sendError(response, 413, 'REQUEST_INVALID', 'The request is too large.');
    if (status === 415) return sendError(response, 415, 'REQUEST_INVALID', 'The encoding of the request’s body is not supported.');
    if (status) return sendError(response, 400, 'REQUEST_INVALID', 'The request’s address or body cannot be read. The body must be JSON.');
    log.error({ err: error }, 'unexpected fault');
    return sendError(response, 500, 'INTERNAL', 'Something went wrong on our side.', 'Try again. If it happens again, tell whoever runs this server the time it happened.');
  };
}

/** The status that express gives to a body or an escape in the path that it cannot read. */
function expressStatus(error: unknown): number | undefined {
  const status = error instanceof Error && 'status' in error && ('expose' in error || error instanceof URIError) ? error.status : undefined;
  return typeof status === 'number' && status >= 400 && status < 500 ? status : undefined;
}
