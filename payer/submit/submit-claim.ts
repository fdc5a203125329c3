import { randomUUID } from 'node:crypto';
import type { Bundle } from '@medplum/fhirtypes';
import type { MetricExchange } from '#fhir/pas/metric-data.ts';
import { attachmentsOf, openAsks, passAsksOn } from '../ask/ask-record.ts';
import { recordAudit } from '../audit.ts';
import type { PayerTransaction } from '../database.ts';
import type { PasEndpoint } from '../pas-version.ts';
import type { PayerSetting } from '../payer-setting.ts';
import { PayerError } from '../payer-error.ts';
import { buildAnswer, buildRefusal } from './build-answer.ts';
import { contentHash } from './content-hash.ts';
import type { ItemDecision } from './item-decision.ts';
import { partiesOf } from './parties.ts';
import { type Plan, type PlannedItem, planNew, planUpdate, type PriorRequest } from './plan-items.ts';
import { readChange, type RequestChange } from './read-change.ts';
import { type PasRequest, pasRequestOf, readPasBundle } from './read-request.ts';

interface Submission {
  readonly request: PasRequest;
  readonly clientId: string;
  readonly bundleHash: string;
  readonly claimHash: string;
}

export interface Submitted {
  /** The response bundle as text. */
  readonly answer: string;
  /** What it was, in the words of the metric model: `subsequent` is a repetition. */
  readonly type: Extract<MetricExchange['type'], 'initial' | 'subsequent' | 'update' | 'cancel'>;
  readonly chainId: string;
  /** X12 901 codes of a request that was refused in the answer. */
  readonly refusals: readonly string[];
}

/**
 * Claim/$submit: a new request, an update or a cancellation, answered by the response bundle as text. A Bundle.identifier that this client has sent
 * before with the same content, or the same Claim in another Bundle, gets the very same text; duplicates in flight meet at the unique constraints
 * and all but one read what that one wrote.
 * @throws PayerError 400, 409 (same identifier, other content), 422
 */
export async function submitClaim(setting: PayerSetting, endpoint: PasEndpoint, clientId: string, body: unknown): Promise<Submitted> {
  const request = readPasBundle(body, endpoint, 'request');
  const change = readChange(request, endpoint);
  const submission: Submission = { request, clientId, bundleHash: contentHash(request.bundle), claimHash: contentHash(request.bundle.entry) };
  const earlier = await earlierAnswer(setting, submission, change);
  if (earlier !== undefined) return earlier;

  const epochMs = setting.now();
  const caseId = randomUUID();
  const fresh = change.kind === 'new' ? planNew(setting, request, epochMs) : [];
  const written = await setting.db.transaction().execute(async (trx) => {
    const prior = change.kind === 'update' ? await findPrior(trx, submission, change) : undefined;
    const plan: Plan = change.kind === 'new' ? { kind: 'decided', request, items: fresh } : planOf(setting, request, change, prior, epochMs);
    const inserted = await insertCase(trx, submission, { caseId, epochMs, endpoint, plan, prior });
    if (!inserted) return undefined;
    if (plan.kind === 'refused') {
      const answer = JSON.stringify(buildRefusal({ request, endpoint, caseId, epochMs }, plan.error));
      await keepAnswer(trx, caseId, answer);
      await recordAudit(trx, epochMs, { action: 'update-refused', who: clientId, what: [caseId, ...(prior ? [prior.id] : [])], outcome: 'refused' });
      return { answer, items: [], chainId: prior?.chainId ?? caseId, refusals: [plan.error.code] };
    }
    const itemIds = await insertItems(trx, caseId, plan.items, epochMs);
    if (prior) {
      await trx.updateTable('payer.authorization_case').set({ replaced_by: caseId }).where('id', '=', prior.id).execute();
      await trx.updateTable('payer.authorization_item').set({ state: 'replaced', due_at: null }).where('case_id', '=', prior.id).where('state', '=', 'pended').execute();
      await passAsksOn(trx, { from: prior.id, to: caseId, itemIds, items: plan.items, request: plan.request, epochMs });
    }
    const decisions = new Map(plan.items.map(({ sequence, decision }): [number, ItemDecision] => [sequence, decision]));
    const answer = JSON.stringify(buildAnswer({ request: plan.request, endpoint, caseId, epochMs, decisions, asks: prior ? await openAsks(trx, caseId) : [] }));
    await keepAnswer(trx, caseId, answer);
    const parties = partiesOf(plan.request);
    if (parties.length > 0) await trx.insertInto('payer.case_identifier').values(parties.map((party) => ({ case_id: caseId, ...party }))).execute();
    await recordAudit(trx, epochMs, { action: change.kind === 'new' ? 'claim-submitted' : 'claim-updated', who: clientId, what: [caseId, ...(prior ? [prior.id] : [])] });
    return { answer, items: plan.items, chainId: prior?.chainId ?? caseId, refusals: [] };
  });
  if (!written) {
    const others = await earlierAnswer(setting, submission, change);
    if (others === undefined) throw new Error('A submission met a duplicate that is not there.');
    return others;
  }
  for (const { decision } of written.items) setting.metrics.decisions.inc({ action: decision.kind, by: decision.by ?? 'policy' });
  setting.log.info({ caseId, kind: change.kind, items: written.items.length, pended: written.items.filter(({ decision }) => decision.kind === 'pended').length }, 'prior authorization request answered');
  const { answer, chainId, refusals } = written;
  return { answer, chainId, refusals, type: change.kind === 'new' ? 'initial' : change.cancelsAll ? 'cancel' : 'update' };
}

interface PriorCase extends PriorRequest {
  readonly id: string;
  readonly chainId: string;
  readonly isReplaced: boolean;
}

function planOf(setting: PayerSetting, request: PasRequest, change: Extract<RequestChange, { kind: 'update' }>, prior: PriorCase | undefined, epochMs: number): Plan {
  const place = 'Bundle.entry[0].resource.related';
  if (!prior) return { kind: 'refused', error: { code: 'AA', followUp: 'N', text: 'The request that this changes is not known here. Send it as a new request.', path: place } };
  if (prior.isReplaced) return { kind: 'refused', error: { code: '33', followUp: 'C', text: 'The request that this changes was itself changed since. Name its latest version.', path: place } };
  return planUpdate(setting, request, change, prior, epochMs);
}

/** The case of the same client and member that the update names, its latest version first; locked, so that two updates of one case do not both take. */
async function findPrior(trx: PayerTransaction, { clientId, request }: Submission, { prior }: Extract<RequestChange, { kind: 'update' }>): Promise<PriorCase | undefined> {
  const values = prior.flatMap(({ value }) => (value ? [value] : []));
  if (values.length === 0) return undefined;
  const found = await trx
    .selectFrom('payer.authorization_case')
    .select(['id', 'chain_id', 'replaced_by', 'request', 'claim_system', 'claim_value'])
    .where('client_id', '=', clientId)
    .where('claim_value', 'in', values)
    .where('standing', '=', 'open')
    .orderBy('received_at', 'desc')
    .forUpdate()
    .execute();
  const named = found.filter((row) => prior.some(({ system = '', value }) => value === row.claim_value && system === row.claim_system));
  const row = named.find(({ replaced_by }) => replaced_by === null) ?? named[0];
  if (!row) return undefined;
  const before = pasRequestOf(JSON.parse(row.request) as Bundle);
  const members = partiesOf(before).filter(({ kind }) => kind === 'member');
  if (!partiesOf(request).some(({ kind, value }) => kind === 'member' && members.some((member) => member.value === value))) return undefined;
  const items = await trx.selectFrom('payer.authorization_item').selectAll().where('case_id', '=', row.id).orderBy('sequence').forUpdate().execute();
  return {
    id: row.id,
    chainId: row.chain_id ?? row.id,
    isReplaced: row.replaced_by !== null,
    attachments: await attachmentsOf(trx, row.id),
    items: items.map((item) => ({
      sequence: item.sequence,
      asked: before.claim.item?.find(({ sequence }) => sequence === item.sequence),
      review: JSON.parse(item.review),
      decision: JSON.parse(item.decision),
      dueAt: toInstant(item.due_at),
      decideBy: toInstant(item.decide_by) ?? new Date(0).toISOString(),
      expedited: item.expedited,
    })),
  };
}

const toInstant = (at: Date | string | null): string | null => (at === null ? null : new Date(at).toISOString());

interface NewCase {
  readonly caseId: string;
  readonly epochMs: number;
  readonly endpoint: PasEndpoint;
  readonly plan: Plan;
  readonly prior: PriorCase | undefined;
}

/** False when another submission of the same bundle or Claim came first. */
async function insertCase(trx: PayerTransaction, { request, clientId, bundleHash, claimHash }: Submission, { caseId, epochMs, endpoint, plan, prior }: NewCase): Promise<boolean> {
  const [identifier] = request.claim.identifier ?? [];
  const inserted = await trx
    .insertInto('payer.authorization_case')
    .values({
      id: caseId,
      client_id: clientId,
      bundle_system: request.identifier.system,
      bundle_value: request.identifier.value,
      content_hash: bundleHash,
      request: JSON.stringify(plan.kind === 'decided' ? plan.request.bundle : request.bundle),
      first_answer: '',
      current_answer: '',
      received_at: new Date(epochMs).toISOString(),
      pas_version: endpoint.version,
      claim_system: identifier?.system ?? '',
      claim_value: identifier?.value ?? '',
      claim_hash: claimHash,
      chain_id: prior?.chainId ?? caseId,
      replaces_id: plan.kind === 'decided' ? (prior?.id ?? null) : null,
      standing: plan.kind === 'decided' ? 'open' : 'refused',
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning('id')
    .executeTakeFirst();
  return inserted !== undefined;
}

async function keepAnswer(trx: PayerTransaction, caseId: string, answer: string): Promise<void> {
  await trx.updateTable('payer.authorization_case').set({ first_answer: answer, current_answer: answer }).where('id', '=', caseId).execute();
}

/** Ids by sequence. */
async function insertItems(trx: PayerTransaction, caseId: string, items: readonly PlannedItem[], epochMs: number): Promise<ReadonlyMap<number, string>> {
  const receivedAt = new Date(epochMs).toISOString();
  const rows = items.map(({ sequence, review, decision, dueAt, decideBy, expedited }) => {
    const decided = decision.kind !== 'pended';
    return {
      id: randomUUID(),
      case_id: caseId,
      sequence,
      state: decided ? ('decided' as const) : ('pended' as const),
      decision: JSON.stringify(decision),
      review: JSON.stringify(review),
      due_at: dueAt,
      decided_at: decided ? receivedAt : null,
      decided_by: decided ? (decision.by ?? 'policy') : null,
      decide_by: decideBy,
      expedited,
    };
  });
  if (rows.length > 0) await trx.insertInto('payer.authorization_item').values(rows).execute();
  return new Map(rows.map(({ sequence, id }) => [sequence, id]));
}

async function earlierAnswer({ db, now }: PayerSetting, { request: { identifier, claim }, clientId, bundleHash, claimHash }: Submission, change: RequestChange): Promise<Submitted | undefined> {
  const [claimIdentifier] = claim.identifier ?? [];
  const { system = '', value = '' } = claimIdentifier ?? {};
  const rows = await db
    .selectFrom('payer.authorization_case')
    .select(['id', 'chain_id', 'content_hash', 'claim_hash', 'first_answer', 'bundle_system', 'bundle_value'])
    .where('client_id', '=', clientId)
    .where((row) =>
      row.or([
        row.and([row('bundle_system', '=', identifier.system), row('bundle_value', '=', identifier.value)]),
        ...(value === '' ? [] : [row.and([row('claim_system', '=', system), row('claim_value', '=', value)])]),
      ]),
    )
    .execute();
  const sameBundle = rows.find((row) => row.bundle_system === identifier.system && row.bundle_value === identifier.value);
  const row = sameBundle ?? rows.find(({ claim_hash }) => claim_hash === claimHash);
  if (sameBundle && sameBundle.content_hash !== bundleHash) {
    throw new PayerError(409, {
      code: 'duplicate',
      text: 'A bundle with this identifier but other content was received before. Give a new request its own Bundle.identifier.',
      expression: 'Bundle.identifier',
    });
  }
  if (!row) {
    // Some senders of 2.0.1 keep Claim.identifier through their updates; a new request must have its own.
    if (rows.length === 0 || change.kind === 'update') return undefined;
    throw new PayerError(409, {
      code: 'duplicate',
      text: 'A Claim with this identifier but other content was received before. Give a new request its own Claim.identifier.',
      expression: 'Bundle.entry[0].resource.identifier',
    });
  }
  await recordAudit(db, now(), { action: 'claim-repeated', who: clientId, what: [row.id] });
  return { answer: row.first_answer, type: 'subsequent', chainId: row.chain_id ?? row.id, refusals: [] };
}
