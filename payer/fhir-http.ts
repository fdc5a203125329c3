import express, { type ErrorRequestHandler, type RequestHandler, type Response } from 'express';
import type { Resource } from '@medplum/fhirtypes';
import type { Logger } from 'pino';
import { faultFacts } from './fault.ts';
import { PayerError, type Problem, toOperationOutcome } from './payer-error.ts';

const FHIR_JSON = 'application/fhir+json';
const DEEPEST_NESTING = 64;

export function sendResource(res: Response, status: number, resource: Resource): void {
  sendResourceText(res, status, JSON.stringify(resource));
}

/** Sends stored text as it is, so that a repeated request gets the same bytes. */
export function sendResourceText(res: Response, status: number, text: string): void {
  res.status(status).set('Content-Type', `${FHIR_JSON}; charset=utf-8`).set('Cache-Control', 'no-store').send(text);
}

/** Parses a FHIR JSON body up to `limit`; 415 for another type, 406 when the caller wants no JSON. */
export function fhirBody(limit: string): RequestHandler[] {
  return [
    (req, _res, next) => {
      if (!req.is([FHIR_JSON, 'application/json'])) {
        throw new PayerError(415, { code: 'not-supported', text: `Send the body as ${FHIR_JSON}.` });
      }
      next();
    },
    wantsJson,
    express.json({ type: [FHIR_JSON, 'application/json'], limit }),
    (req, _res, next) => {
      checkTree(req.body);
      next();
    },
  ];
}

export const wantsJson: RequestHandler = (req, _res, next) => {
  if (!req.accepts([FHIR_JSON, 'application/json'])) {
    throw new PayerError(406, { code: 'not-supported', text: `This server answers in ${FHIR_JSON} only.` });
  }
  next();
};

/** Refuses what is nested too deep to be walked, and text that the database does not take: U+0000 and half a surrogate pair. */
function checkTree(body: unknown): void {
  const waiting: [unknown, number][] = [[body, 0]];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const [value, depth] = next;
    if (typeof value === 'string') checkText(value);
    if (typeof value !== 'object' || value === null) continue;
    if (depth > DEEPEST_NESTING) throw new PayerError(400, { code: 'structure', text: `The body is nested deeper than ${DEEPEST_NESTING} levels.` });
    for (const [key, child] of Object.entries(value)) {
      checkText(key);
      waiting.push([child, depth + 1]);
    }
  }
}

function checkText(text: string): void {
  if (text.includes('\u0000') || /\p{Surrogate}/u.test(text)) throw new PayerError(422, { code: 'value', text: 'Text must be well-formed Unicode without the character U+0000.' });
}

export const notFound: RequestHandler = () => {
  throw new PayerError(404, { code: 'not-found', text: 'There is nothing at this address.' });
};

/** The last handler of every FHIR route: each failure leaves as an OperationOutcome. */
export function fhirErrors(log: Logger): ErrorRequestHandler {
  return (error: unknown, _req, res, next) => {
    if (res.headersSent) return next(error);
    const { status, problems } = readFailure(error, log);
    sendResource(res, status, toOperationOutcome(problems));
  };
}

/** What a failure says to the caller: our own errors as they are, express's by their status, the rest as 500 without detail. */
export function readFailure(error: unknown, log: Logger): { status: number; problems: readonly Problem[] } {
  if (error instanceof PayerError) return { status: error.status, problems: error.problems };
  const status = expressStatus(error);
  if (status === 413) return { status, problems: [{ code: 'too-long', text: 'The body is larger than this server takes.' }] };
  if (status === 415) return { status, problems: [{ code: 'not-supported', text: 'The encoding of the body is not supported.' }] };
  if (status !== undefined) return { status: 400, problems: [{ code: 'structure', text: 'The address or the body could not be read. The body must be JSON.' }] };
  log.error({ fault: faultFacts(error) }, 'payer request failed');
  return { status: 500, problems: [{ code: 'exception', text: 'The payer could not process this now. Send it again later, unchanged.' }] };
}

/** The status that express gives to a body or an escape in the path that it cannot read. */
function expressStatus(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('status' in error) || !('expose' in error || error instanceof URIError)) return undefined;
  return typeof error.status === 'number' && error.status >= 400 && error.status < 500 ? error.status : undefined;
}
