import { randomUUID } from 'node:crypto';
import type { MetricExchange } from '#fhir/pas/metric-data.ts';
import type { PayerSetting } from '../payer-setting.ts';

export interface AnsweredExchange {
  readonly type: MetricExchange['type'];
  /** The requests that it was about; null for one that was refused before it became a case. */
  readonly chainIds: readonly (string | null)[];
  readonly httpResponse?: number;
  /** Codes of the OperationOutcome given. */
  readonly issues?: readonly string[];
  /** X12 901 codes of ClaimResponse.error. */
  readonly aaaCodes?: readonly string[];
}

/** One row for each request that an operation was about. Codes and times only. `startedMs` in epoch milliseconds. */
export async function recordExchanges({ db, now }: PayerSetting, startedMs: number, { type, chainIds, httpResponse = 200, issues = [], aaaCodes = [] }: AnsweredExchange): Promise<void> {
  if (chainIds.length === 0) return;
  const row = {
    type,
    request_time: new Date(startedMs).toISOString(),
    response_time: new Date(now()).toISOString(),
    http_response: httpResponse,
    issues: JSON.stringify(issues),
    aaa_codes: JSON.stringify(aaaCodes),
  };
  await db.insertInto('payer.pas_exchange').values(chainIds.map((chainId) => ({ ...row, id: randomUUID(), chain_id: chainId }))).execute();
}
