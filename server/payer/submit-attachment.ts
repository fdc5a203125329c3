import { withoutSlashes } from '#fhir/base/reference.ts';
import { type PayerClient, type PayerReply, parseJson } from './payer-client.ts';
import { outcomeCodes } from './submit.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';

const OPERATION = '$submit-attachment';

/** CDex `$submit-attachment` (system level): the same bytes at each try. */
export function sendAttachment(client: PayerClient, payer: Payer, target: string, body: string): Promise<PayerReply> {
  return client.post(payer, target, body);
}

/**
 * The path under the payer's configured address. What the payer's Task names is followed only where it lies there: a message from outside does not choose
 * to whom a patient's record is sent.
 */
export function attachmentTarget({ fhirBase }: Pick<Payer, 'fhirBase'>, payerUrl: string | undefined): string {
  const base = `${withoutSlashes(fhirBase)}/`;
  if (!payerUrl?.startsWith(base)) return OPERATION;
  const path = withoutSlashes(payerUrl.slice(base.length));
  if (/[^A-Za-z0-9$_\-/]/.test(path)) return OPERATION;
  return path.endsWith(OPERATION) ? path : [path, OPERATION].filter(Boolean).join('/');
}

export type AttachmentReading =
  | { readonly kind: 'taken' }
  /** Final: the same again would be refused again. */
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'retry'; readonly error: string };

export function readAttachmentAnswer(reply: PayerReply): AttachmentReading {
  if (reply.kind === 'unavailable') return { kind: 'retry', error: `PAYER_UNAVAILABLE: ${reply.error}` };
  if (reply.status >= 400) return { kind: 'refused', reason: `PAYER_REFUSED: HTTP ${reply.status}${outcomeCodes(parseJson(reply.body))}` };
  return { kind: 'taken' };
}
