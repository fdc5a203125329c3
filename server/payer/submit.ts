import type { OperationOutcome } from '@medplum/fhirtypes';
import { z } from 'zod';
import type { CaseAnswer } from './case-port.ts';
import { parseJson, type PayerClient, type PayerReply } from './payer-client.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { SubmissionKeys } from '#prior-auth/pas-bundle/build-submission.ts';
import type { SubmissionRow } from '../pas/submission-table.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import { type Asked, readDecision } from '#prior-auth/payer-decision/read-decision.ts';

/** `$submit` (PAS 2.0.1 OperationDefinition Claim-submit): the bare request bundle, byte for byte as it was stored. */
export function sendSubmit(client: PayerClient, payer: Payer, bundle: string): Promise<PayerReply> {
  return client.post(payer, 'Claim/$submit', bundle);
}

export type SubmitReading =
  | { readonly kind: 'answer'; readonly answer: CaseAnswer; readonly decision?: PayerDecision; readonly references: readonly string[] }
  /** Send the same bytes again. */
  | { readonly kind: 'retry'; readonly error: string };

/** What the answer to `$submit` means for the case. 4XX is final, and so is an OperationOutcome of an error with 200; what cannot be read is asked again. Instants are ISO; the payer's clock runs from `sentAt`. */
export function readSubmitAnswer(reply: PayerReply, payer: Payer, { keys, purpose }: Pick<SubmissionRow, 'keys' | 'purpose'>, { sentAt, receivedAt }: { readonly sentAt: string; readonly receivedAt: string }): SubmitReading {
  if (reply.kind === 'unavailable') return { kind: 'retry', error: `PAYER_UNAVAILABLE: ${reply.error}` };
  const body = parseJson(reply.body);
  if (reply.status >= 400) return refused(receivedAt, `PAYER_REFUSED: HTTP ${reply.status}${outcomeCodes(body)}`);
  const reading = readDecision(body, askedOf(payer, keys, receivedAt, false));
  if (reading.kind === 'no-decision') {
    return isOutcomeOfError(body) ? refused(receivedAt, `PAYER_REFUSED: HTTP ${reply.status}${outcomeCodes(body)}`) : { kind: 'retry', error: `PAYER_ANSWER_UNREADABLE: ${reading.why}` };
  }
  const { decision } = reading;
  const references = responseReferences(body);
  if (purpose === 'cancel') return readCancellation(decision, { sentAt, receivedAt }, references);
  if (reading.isFinal) return { kind: 'answer', answer: { kind: 'decided', submittedAt: sentAt, decision }, decision, references };
  // An error and no item answered: the payer took nothing in hand, a person corrects and submits anew.
  if (decision.overall === 'error' && decision.items.every((item) => item.decision.kind === 'unreadable')) {
    return { ...refused(receivedAt, `PAYER_REFUSED: ${errorWords(decision)}`), decision };
  }
  // Pended, and also what cannot be read: the payer has it, it is not decided for us, and the inquiry goes on.
  return { kind: 'answer', answer: { kind: 'pended', submittedAt: sentAt, decision, asks: reading.asks }, decision, references };
}

/** No review action says that a cancellation was taken: a ClaimResponse without an error does. */
function readCancellation(decision: PayerDecision, { sentAt, receivedAt }: { readonly sentAt: string; readonly receivedAt: string }, references: readonly string[]): SubmitReading {
  if (decision.errors.length > 0) return { ...refused(receivedAt, `PAYER_REFUSED: ${errorWords(decision)}`), decision };
  return { kind: 'answer', answer: { kind: 'cancelled', cancelledAt: receivedAt, submittedAt: sentAt, decision }, decision, references };
}

const errorWords = ({ errors }: PayerDecision): string => errors.map(({ code, text }) => (text ? `${code} ${text}` : code)).join('; ');

export function askedOf(payer: Payer, keys: SubmissionKeys, receivedAt: string, mustName: boolean): Asked {
  const cancelled = keys.items.filter((item) => item.cancelled).map(({ sequence }) => sequence);
  return { items: keys.items.filter((item) => !item.cancelled), cancelled, claimIdentifier: keys.claimIdentifier, claimFullUrl: keys.claimFullUrl, receivedAt, pasVersion: payer.pasVersion, mustName };
}

function refused(refusedAt: string, reason: string): Extract<SubmitReading, { kind: 'answer' }> {
  return { kind: 'answer', answer: { kind: 'refused', refusedAt, reason }, references: [] };
}

function issuesOf(body: unknown): OperationOutcome['issue'] {
  const outcome = body as Partial<OperationOutcome> | null | undefined;
  return outcome?.resourceType === 'OperationOutcome' && Array.isArray(outcome.issue) ? outcome.issue : [];
}

function isOutcomeOfError(body: unknown): boolean {
  return issuesOf(body).some(({ severity }) => severity === 'error' || severity === 'fatal');
}

/** Codes and places only: `diagnostics` is free text of another system and may carry patient data. */
export function outcomeCodes(body: unknown): string {
  const codes = issuesOf(body)
    .filter(({ severity }) => severity === 'error' || severity === 'fatal')
    .slice(0, 5)
    .map(({ code, expression, details }) => [code, details?.coding?.[0]?.code, expression?.[0]].filter(Boolean).join(' '));
  return codes.length > 0 ? `, ${codes.join('; ')}` : '';
}

const claimResponseEntry = z.looseObject({ fullUrl: z.string().optional(), resource: z.looseObject({ resourceType: z.literal('ClaimResponse'), id: z.string().optional() }) });

/** How a later notification may name this answer: the ClaimResponse's fullUrl and its id at the payer. */
function responseReferences(body: unknown): string[] {
  const entries = z.looseObject({ entry: z.array(z.unknown()) }).safeParse(body).data?.entry ?? [];
  return entries.flatMap((entry) => {
    const found = claimResponseEntry.safeParse(entry).data;
    return [found?.fullUrl, found?.resource.id && `ClaimResponse/${found.resource.id}`].filter((reference) => reference !== undefined);
  });
}
