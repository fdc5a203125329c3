import type { Bundle, ClaimItem, Identifier } from '@medplum/fhirtypes';
import { CODE_SYSTEMS } from '#fhir/base/code-systems.ts';
import { extensionByUrl } from '#fhir/base/extension.ts';
import { readCoverageInformation } from '#fhir/crd/coverage-information.ts';
import { PAS_EXTENSIONS } from '#fhir/pas/canonical-urls.ts';
import type { MetricItem, PasMetricData } from '#fhir/pas/metric-data.ts';
import type { Ask } from '../ask/ask.ts';
import type { PayerDatabase } from '../database.ts';
import { entryOf } from '../submit/bundle-references.ts';
import type { ItemDecision } from '../submit/item-decision.ts';
import { partiesOf, payerIdOf } from '../submit/parties.ts';
import { type PasRequest, pasRequestOf } from '../submit/read-request.ts';
import { PAYER_ID_SYSTEM } from '../terms.ts';

/** Requests read at once: those of a year do not fit in memory. */
const BATCH = 100;

/** PASMetricData of every request first received from `from` on and before `to`, oldest first. Updates belong to the request that they change. */
export async function* readMetricData(db: PayerDatabase, { from, to }: { readonly from: Date; readonly to: Date }): AsyncGenerator<PasMetricData> {
  const chains = await db
    .selectFrom('payer.authorization_case')
    .select('id')
    .whereRef('chain_id', '=', 'id')
    .where('standing', '=', 'open')
    .where('received_at', '>=', from.toISOString())
    .where('received_at', '<', to.toISOString())
    .orderBy('received_at')
    .orderBy('id')
    .execute();
  for (let at = 0; at < chains.length; at += BATCH) yield* await readChains(db, chains.slice(at, at + BATCH).map(({ id }) => id));
}

async function readChains(db: PayerDatabase, chainIds: readonly string[]): Promise<readonly PasMetricData[]> {
  const cases = await db.selectFrom('payer.authorization_case').select(['id', 'chain_id', 'request', 'received_at', 'replaced_by', 'standing']).where('chain_id', 'in', chainIds).orderBy('received_at').execute();
  const ids = cases.map(({ id }) => id);
  const items = await db.selectFrom('payer.authorization_item').selectAll().where('case_id', 'in', ids).orderBy('sequence').execute();
  const asks = await db.selectFrom('payer.information_request').select(['case_id', 'ask', 'asked_at', 'answered_at']).where('case_id', 'in', ids).orderBy('asked_at').execute();
  const exchanges = await db.selectFrom('payer.pas_exchange').selectAll().where('chain_id', 'in', chainIds).orderBy('request_time').execute();
  return chainIds.flatMap((chainId): PasMetricData[] => {
    const versions = cases.filter(({ chain_id, standing }) => chain_id === chainId && standing === 'open');
    const current = versions.find(({ replaced_by }) => replaced_by === null);
    if (!current) return [];
    const request = pasRequestOf(JSON.parse(current.request) as Bundle);
    const own = exchanges.filter(({ chain_id }) => chain_id === chainId);
    const currentItems = items.filter(({ case_id }) => case_id === current.id);
    const dueTimes = currentItems.flatMap(({ decide_by }) => (decide_by === null ? [] : [instant(decide_by)])).sort();
    const dueTime = dueTimes.at(-1);
    const codes = own.flatMap(({ issues }) => JSON.parse(issues) as string[]);
    const aaaCodes = own.flatMap(({ aaa_codes }) => JSON.parse(aaa_codes) as string[]);
    return [
      {
        source: 'payer-src',
        ...senders(request),
        payerId: { system: PAYER_ID_SYSTEM, value: payerIdOf(request) ?? 'unknown' },
        exchange: own.map(({ type, request_time, response_time, http_response }) => ({ type, with: 'provider', method: 'restful', requestTime: instant(request_time), responseTime: instant(response_time), httpResponse: String(http_response) })),
        ...(codes.length > 0 ? { issue: codes.map((code) => ({ code })) } : {}),
        ...(aaaCodes.length > 0 ? { aaaCodes: aaaCodes.map((aaaCode) => ({ loopID: 'unknown', aaaCode })) } : {}),
        itemDetail: currentItems.map((row): MetricItem => {
          const decision: ItemDecision = JSON.parse(row.decision);
          const holding = versions.filter(({ id }) => items.some(({ case_id, sequence }) => case_id === id && sequence === row.sequence));
          const asked = request.claim.item?.find(({ sequence }) => sequence === row.sequence);
          const assertionId = asked && assertionOf(request, asked);
          const [reason] = decision.reasonCodes ?? [];
          const decidedLater = row.decided_at !== null && instant(row.decided_at) > instant(current.received_at);
          return {
            trn: row.sequence,
            item: { coding: (asked?.productOrService?.coding ?? []).map(({ system, code }) => ({ ...(system ? { system } : {}), ...(code ? { code } : {}) })) },
            ...(assertionId ? { assertionId } : {}),
            ...(holding[0] ? { initialSubmissionTime: instant(holding[0].received_at) } : {}),
            ...(row.decided_at === null ? {} : { finalResponseTime: instant(row.decided_at) }),
            responsesRequired: holding.length + (decidedLater ? 1 : 0),
            ...locationOf(asked),
            result: decision.kind,
            ...(decision.kind === 'denied' && reason ? { denialReason: reason } : {}),
          };
        }),
        ...requestedDocs(asks.filter(({ case_id }) => versions.some(({ id }) => id === case_id))),
        review: { priority: currentItems.some(({ expedited }) => expedited) ? 'expedited' : 'standard', ...(dueTime ? { dueTime } : {}), approvedAfterAppeal: false },
      },
    ];
  });
}

/** The ordering provider and the organization that asks, by NPI. */
function senders(request: PasRequest): { readonly providerId: Identifier; readonly groupId: Identifier } {
  const parties = partiesOf(request);
  const group = parties.find(({ kind, system }) => kind === 'requestor' && system === CODE_SYSTEMS.npi)?.value;
  const provider = parties.find(({ kind, value }) => kind === 'npi' && value !== group)?.value ?? group;
  const npi = (value: string | undefined): Identifier => ({ system: CODE_SYSTEMS.npi, value: value ?? 'unknown' });
  return { providerId: npi(provider), groupId: npi(group) };
}

function assertionOf({ bundle, claimUrl }: PasRequest, item: ClaimItem): string | undefined {
  const order = entryOf(bundle, extensionByUrl(item, PAS_EXTENSIONS.requestedService)?.valueReference?.reference, claimUrl)?.resource;
  return order && 'extension' in order ? readCoverageInformation({ extension: order.extension })[0]?.assertionId : undefined;
}

/** CMS place of service: 12 home, 21 inpatient hospital. */
function locationOf(item: ClaimItem | undefined): Pick<MetricItem, 'locationType'> {
  const code = item?.locationCodeableConcept?.coding?.find(({ system }) => system === CODE_SYSTEMS.placeOfService)?.code;
  return code === undefined ? {} : { locationType: code === '12' ? 'home' : code === '21' ? 'inpatient' : 'outpatient' };
}

function requestedDocs(rows: readonly { readonly ask: string; readonly asked_at: Date | string; readonly answered_at: Date | string | null }[]): Pick<PasMetricData, 'requestedDoc'> {
  if (rows.length === 0) return {};
  return {
    requestedDoc: rows.map(({ ask, asked_at, answered_at }) => {
      const { wants }: Ask = JSON.parse(ask);
      const docRequest = wants.kind === 'attachment' ? wants.codes.map((coding) => ({ coding: [coding] })) : [{ coding: [{ system: CODE_SYSTEMS.loinc, code: '102089-0' }] }];
      return { docRequest, timeRequested: instant(asked_at), ...(answered_at === null ? {} : { timeSubmitted: instant(answered_at), submissionMethod: 'CDex' as const }) };
    }),
  };
}

const instant = (at: Date | string): string => new Date(at).toISOString();
