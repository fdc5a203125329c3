import { parseJson, type PayerClient, type PayerReply } from './payer-client.ts';
import { askedOf } from './submit.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { quirksOf } from '#prior-auth/coverage-requirement/payer-quirks.ts';
import type { SubmissionKeys } from '#prior-auth/pas-bundle/build-submission.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { InformationRequest } from '#prior-auth/payer-decision/information-request.ts';
import { readDecision } from '#prior-auth/payer-decision/read-decision.ts';

/** `$inquire` (OperationDefinition Claim-inquiry, whose code is `inquire`), in the spelling of the payer. */
export function sendInquiry(client: PayerClient, payer: Payer, bundle: string): Promise<PayerReply> {
  return client.post(payer, `Claim/${quirksOf(payer).inquiryOperation}`, inquiryBody(payer, bundle));
}

/** The bundle, in the wrapper of the payer. Both JSON. */
export function inquiryBody(payer: Payer, bundle: string): string {
  return quirksOf(payer).inquiryWrapper === 'bundle' ? bundle : `{"resourceType":"Parameters","parameter":[{"name":"resource","resource":${bundle}}]}`;
}

export type InquiryReading =
  | { readonly kind: 'decided'; readonly decision: PayerDecision }
  /** Not decided, or not readably: what is known may have changed. */
  | { readonly kind: 'pended'; readonly decision: PayerDecision; /** What is asked for; absent where the answer carries no asks, as PAS 2.2.1's do not. */ readonly asks?: readonly InformationRequest[] }
  /** Ask again later: nothing was learned. */
  | { readonly kind: 'nothing'; readonly why: string };

/** An inquiry may bring several answers; only one that names our request is believed. Never a reason to refuse: the request itself is with the payer. */
export function readInquiryAnswer(reply: PayerReply, payer: Payer, keys: SubmissionKeys, receivedAt: string): InquiryReading {
  if (reply.kind === 'unavailable') return { kind: 'nothing', why: `PAYER_UNAVAILABLE: ${reply.error}` };
  if (reply.status >= 400) return { kind: 'nothing', why: `PAYER_REFUSED: HTTP ${reply.status}` };
  const reading = readDecision(parseJson(reply.body), askedOf(payer, keys, receivedAt, true));
  if (reading.kind === 'no-decision') return { kind: 'nothing', why: `PAYER_ANSWER_UNREADABLE: ${reading.why}` };
  if (reading.isFinal) return { kind: 'decided', decision: reading.decision };
  return reading.decision.overall === 'pended' ? { kind: 'pended', decision: reading.decision, ...(reading.asks.length > 0 ? { asks: reading.asks } : {}) } : { kind: 'nothing', why: `PAYER_ANSWER_UNREADABLE: ${reading.decision.overall}` };
}
