import type { Transaction } from 'kysely';
import { z } from 'zod';
import type { MetricExchange, PasMetricData } from '#fhir/pas/metric-data.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { AnyDatabase } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import { parseJson, type PayerReply } from '../payer/payer-client.ts';

/** Each try to reach a payer, with codes only. What the items came to stands in the submissions and is put together when figures are asked for. */
export type MetricTables = {
  'pas.exchange': {
    id: string;
    case_id: string;
    submission_id: string;
    type: MetricExchange['type'];
    request_time: string;
    response_time: string | null;
    http_response: string;
    issues: string;
    aaa_codes: string;
  };
};

export interface Exchanged {
  readonly caseId: string;
  readonly submissionId: string;
  readonly type: MetricExchange['type'];
  /** Epoch milliseconds. */
  readonly startedMs: number;
  readonly receivedMs: number;
  readonly reply: PayerReply;
  readonly decision?: PayerDecision | undefined;
}

/** Within the transaction that records what came of it: every try that is recorded is counted, and none twice. */
export async function recordExchange(trx: Transaction<AnyDatabase>, { caseId, submissionId, type, startedMs, receivedMs, reply, decision }: Exchanged): Promise<void> {
  await trx
    .withTables<MetricTables>()
    .insertInto('pas.exchange')
    .values({
      id: uuidv7(receivedMs),
      case_id: caseId,
      submission_id: submissionId,
      type,
      request_time: new Date(startedMs).toISOString(),
      response_time: reply.kind === 'answered' ? new Date(receivedMs).toISOString() : null,
      http_response: reply.kind === 'answered' ? String(reply.status) : (/^HTTP (\d{3})$/.exec(reply.error)?.[1] ?? '0'),
      issues: JSON.stringify(issuesOf(reply)),
      aaa_codes: JSON.stringify(decision?.errors.map(({ code }) => ({ loopID: 'unknown', aaaCode: code })) ?? []),
    })
    .execute();
}

const outcome = z.looseObject({
  resourceType: z.literal('OperationOutcome'),
  issue: z.array(z.looseObject({ code: z.string(), details: z.looseObject({ coding: z.array(z.looseObject({ system: z.string().optional(), code: z.string().optional() })).optional() }).optional() })),
});

/** Codes only: texts of another system may name a patient. */
function issuesOf(reply: PayerReply): NonNullable<PasMetricData['issue']> {
  if (reply.kind === 'unavailable') return [{ code: 'transient' }];
  if (reply.status < 400) return [];
  const { data } = outcome.safeParse(parseJson(reply.body));
  return (data?.issue ?? []).map(({ code, details }) => {
    const coding = (details?.coding ?? []).map((each) => ({ ...(each.system ? { system: each.system } : {}), ...(each.code ? { code: each.code } : {}) }));
    return { code, ...(coding.length > 0 ? { details: { coding } } : {}) };
  });
}
