import { isDeepStrictEqual } from 'node:util';
import { sql, type Transaction } from 'kysely';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { type AppealResult, countedChange, denialLabel, type ItemLabel, type LabelCause, type LabelVersion, type OverrideLabel, standingLabel } from '#prior-auth/learning/labels.ts';
import { type OutcomeRecord, toOutcomeRecords } from '#prior-auth/learning/outcome-record.ts';
import type { PayerDecision } from '#prior-auth/payer-decision/decision.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { AnyDatabase, Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { CaseTables } from '../store/case-tables.ts';
import { countDecision } from './history.ts';
import type { LabelTables } from './label-tables.ts';

/** What is known of one item's label, oldest version first. */
export interface StoredLabel extends LabelVersion {
  readonly id: string;
  readonly itemSequence: number;
  readonly record: OutcomeRecord;
  readonly decidedAt: string;
  readonly recordedAt: string;
  readonly recordedBy: string;
  readonly why: string | null;
}

export interface LabelledDecision {
  readonly decided: PriorAuthCase;
  readonly decision: PayerDecision;
  readonly submittedAt: string;
  readonly simulated: boolean;
  readonly nowMs: number;
}

/** Labels and past decisions of a payer's final answer, in the transaction that takes the answer. An answer that says nothing new of an item leaves its label as it is. */
export async function recordDecisionLabels(trx: Transaction<AnyDatabase>, { decided, decision, submittedAt, simulated, nowMs }: LabelledDecision): Promise<void> {
  const row = await trx.withTables<CaseTables>().selectFrom('cases.prior_auth_case').select(['risk', 'risk_facts']).where('id', '=', decided.id).executeTakeFirst();
  const scored = row?.risk && row.risk_facts ? { facts: row.risk_facts, risk: row.risk } : null;
  const records = toOutcomeRecords(decided, decision, { scored, submittedAt, simulated });
  const earlier = await readLabels(trx, decided.id);
  for (const record of records) {
    const versions = earlier.filter(({ itemSequence }) => itemSequence === record.itemSequence);
    const said = versions.findLast(({ cause }) => cause === 'decision' || cause === 'correction' || cause === 'update');
    if (said && said.label === record.label && isDeepStrictEqual(said.record.reasonCodes, record.reasonCodes)) continue;
    const cause: LabelCause = said === undefined ? 'decision' : (await wasSentAgain(trx, decided.id, said.recordedAt)) ? 'update' : 'correction';
    await append(trx, decided.id, versions, { cause, label: record.label, record, decidedAt: decision.decidedAt, submittedAt, by: 'payer', why: null, nowMs });
  }
}

/** An update, or a cancellation that was not taken, went out since. */
async function wasSentAgain(trx: Transaction<AnyDatabase>, caseId: string, since: string): Promise<boolean> {
  const found = await trx.withTables<CaseTables>().selectFrom('cases.state_history').select('version').where('case_id', '=', caseId).where('state', '=', 'queued').where('at', '>', sql<Date>`${since}::timestamptz`).limit(1).executeTakeFirst();
  return found !== undefined;
}

export interface StaffLabel {
  readonly caseId: string;
  readonly itemSequence: number;
  /** Relative reference. */
  readonly by: string;
  /** In the person's words; stays in the store. */
  readonly why: string;
}

export interface Labels {
  of(caseId: string): Promise<readonly StoredLabel[]>;
  /** How an appeal of a denied item ended. `decidedOn`: YYYY-MM-DD. Throws REQUEST_INVALID where nothing was denied. */
  recordAppeal(label: StaffLabel & { readonly result: AppealResult; readonly decidedOn: string }): Promise<void>;
  /** A reviewer's word goes before the payer's in what is learned; the payer's stays on record. Throws REQUEST_INVALID where the payer has not decided. */
  override(label: StaffLabel & { readonly label: OverrideLabel }): Promise<void>;
}

export function createLabels({ store, audit, now }: { readonly store: Store; readonly audit: AuditTrail; readonly now: () => number }): Labels {
  const lockedVersions = async (trx: Transaction<AnyDatabase>, { caseId, itemSequence }: StaffLabel): Promise<readonly StoredLabel[]> => {
    // The case's row is what an answer of the payer waits for, too.
    await trx.withTables<CaseTables>().selectFrom('cases.prior_auth_case').select('id').where('id', '=', caseId).forUpdate().executeTakeFirst();
    return (await readLabels(trx, caseId)).filter((each) => each.itemSequence === itemSequence);
  };
  return {
    of: (caseId) => store.transaction((trx) => readLabels(trx, caseId)),
    recordAppeal: ({ result, decidedOn, ...staff }) => store.transaction(async (trx) => {
      const versions = await lockedVersions(trx, staff);
      const denied = versions.findLast(({ cause, label }) => label === 'denied' && cause !== 'override' && cause !== 'appeal');
      if (!denied) throw new PriorAuthError('REQUEST_INVALID', 'No denial of this item is on record.', { nextStep: 'Record the payer’s decision first.' });
      if (decidedOn < denied.decidedAt.slice(0, 10) || Date.parse(decidedOn) > now()) throw new PriorAuthError('REQUEST_INVALID', 'decidedOn: not between the denial and today.', { nextStep: 'Give the day on which the appeal was decided.' });
      const decidedAt = new Date(Math.max(Date.parse(decidedOn), Date.parse(denied.decidedAt))).toISOString();
      await append(trx, staff.caseId, versions, { cause: 'appeal', label: result, record: denied.record, decidedAt, submittedAt: null, by: staff.by, why: staff.why, nowMs: now() });
      await audit.recordWithin(trx, { action: 'appeal-recorded', who: staff.by, caseId: staff.caseId, details: { item: staff.itemSequence, result } });
    }),
    override: ({ label, ...staff }) => store.transaction(async (trx) => {
      const versions = await lockedVersions(trx, staff);
      const standing = denialLabel(versions) ?? standingLabel(versions);
      if (!standing) throw new PriorAuthError('REQUEST_INVALID', 'The payer has not decided this item.', { nextStep: 'Wait for the payer’s decision, or record it.' });
      await append(trx, staff.caseId, versions, { cause: 'override', label, record: standing.record, decidedAt: standing.decidedAt, submittedAt: null, by: staff.by, why: staff.why, nowMs: now() });
      await audit.recordWithin(trx, { action: 'label-overridden', who: staff.by, caseId: staff.caseId, details: { item: staff.itemSequence, label } });
    }),
  };
}

interface NewVersion {
  readonly cause: LabelCause;
  readonly label: ItemLabel;
  readonly record: OutcomeRecord;
  readonly decidedAt: string;
  readonly submittedAt: string | null;
  readonly by: string;
  readonly why: string | null;
  readonly nowMs: number;
}

async function append(trx: Transaction<AnyDatabase>, caseId: string, versions: readonly StoredLabel[], { cause, label, record, decidedAt, submittedAt, by, why, nowMs }: NewVersion): Promise<void> {
  const last = versions.at(-1);
  const added = { version: (last?.version ?? 0) + 1, cause, label };
  // Clocks of two processes may disagree; what is learned of later is never dated earlier.
  const recordedAt = new Date(Math.max(nowMs, last ? Date.parse(last.recordedAt) : 0)).toISOString();
  await trx
    .withTables<LabelTables>()
    .insertInto('learning.label')
    .values({
      id: uuidv7(nowMs), case_id: caseId, item_sequence: record.itemSequence, ...added, record: JSON.stringify(record),
      decided_at: decidedAt, submitted_at: submittedAt, recorded_at: recordedAt, recorded_by: by, why,
    })
    .execute();
  const { payerId, procedure, facts, simulated } = record;
  await countDecision(trx, {
    facts: { simulated, payerId, procedure, serviceFamily: facts?.serviceFamily ?? null, requesterSpecialty: facts?.requesterSpecialty ?? null },
    change: countedChange(versions, [...versions, added], (versions[0]?.record ?? record).decisionDays),
    at: recordedAt,
  });
}

async function readLabels(trx: Transaction<AnyDatabase>, caseId: string): Promise<readonly StoredLabel[]> {
  const rows = await trx.withTables<LabelTables>().selectFrom('learning.label').selectAll().where('case_id', '=', caseId).orderBy('item_sequence').orderBy('version').execute();
  return rows.map((row) => ({
    id: row.id, itemSequence: row.item_sequence, version: row.version, cause: row.cause, label: row.label, record: row.record,
    decidedAt: row.decided_at.toISOString(), recordedAt: row.recorded_at.toISOString(), recordedBy: row.recorded_by, why: row.why,
  }));
}
