import type { OperationOutcome } from '@medplum/fhirtypes';
import type { PayerDtrService } from '#prior-auth/coverage-requirement/payer.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { isResource, outcomeWords, unreadable } from './read-package.ts';

/** `fetch` that adds the payer's access token. */
export type AuthorisedFetch = (url: string, init: RequestInit) => Promise<Response>;

/** A payer's DTR operations, with our rights there. */
export interface PayerAccess {
  readonly payerId: string;
  /** FHIR base, no slash at its end. */
  readonly base: string;
  readonly dtr: PayerDtrService;
  /** Refuses every address that is not under `base`. */
  readonly fetch: AuthorisedFetch;
}

const PATHS = {
  questionnairePackage: 'Questionnaire/$questionnaire-package',
  nextQuestion: 'Questionnaire/$next-question',
  logErrors: 'Questionnaire/$log-questionnaire-errors',
  expand: 'ValueSet/$expand',
} as const;

export function operationUrl({ base, dtr }: PayerAccess, operation: keyof typeof PATHS): string {
  return `${base}/${dtr.operations?.[operation] ?? PATHS[operation]}`;
}

export type OperationReply =
  | { readonly kind: 'answered'; readonly status: number; readonly body: unknown }
  /** 4XX: the payer's own words, if it gave any. */
  | { readonly kind: 'refused'; readonly status: number; readonly outcome: OperationOutcome | undefined };

const MOST_BYTES = 20_000_000;
const FHIR_JSON = 'application/fhir+json';

/** POSTs one resource. Throws PAYER_UNAVAILABLE (network, time, 5XX, 429: may be sent again), PAYER_ANSWER_UNREADABLE. `what` completes "the request for …". */
export async function callOperation(fetchAuthorised: AuthorisedFetch, url: string, body: object, timeoutMs: number, what: string): Promise<OperationReply> {
  let response: Response;
  let text: string;
  try {
    response = await fetchAuthorised(url, { method: 'POST', headers: { 'content-type': FHIR_JSON, accept: FHIR_JSON }, body: JSON.stringify(body), signal: AbortSignal.timeout(timeoutMs) });
    text = await response.text();
  } catch (cause) {
    if (cause instanceof PriorAuthError) throw cause;
    throw new PriorAuthError('PAYER_UNAVAILABLE', `The payer did not answer the request for ${what}.`, { cause, retryable: true, nextStep: 'Try again in a moment.' });
  }
  if (response.status >= 500 || response.status === 429) {
    throw new PriorAuthError('PAYER_UNAVAILABLE', `The payer answered ${response.status} to the request for ${what}.`, { retryable: true, nextStep: 'Try again in a moment.' });
  }
  const parsed = text.length <= MOST_BYTES ? parseJson(text) : undefined;
  if (!response.ok) return { kind: 'refused', status: response.status, outcome: isResource(parsed, 'OperationOutcome') ? parsed : undefined };
  if (text.trim() === '') return { kind: 'answered', status: response.status, body: { resourceType: 'Parameters' } };
  if (parsed === undefined) throw unreadable(`The payer’s answer to the request for ${what} cannot be read.`);
  return { kind: 'answered', status: response.status, body: parsed };
}

/** A refusal in the payer's own words, which are its instructions to staff. */
export function refusal(reply: Extract<OperationReply, { kind: 'refused' }>, what: string): PriorAuthError {
  const words = reply.outcome ? outcomeWords([reply.outcome]) : [];
  return new PriorAuthError('PAYER_REFUSED', [`The payer refused the request for ${what} (${reply.status}).`, ...words].join(' '), { nextStep: 'Do what the payer says, or check the coverage and the order, or call the payer.' });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
