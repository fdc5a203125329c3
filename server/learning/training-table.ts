import { createHash, createHmac } from 'node:crypto';
import { sql } from 'kysely';
import { type DataFault, DATA_LIMITS, dataFaults, type DataLimits, FOLDED } from '#models/data-checks.ts';
import type { TrainingTable } from '#models/dataset.ts';
import { appealLabel, denialLabel, type LabelVersion } from '#prior-auth/learning/labels.ts';
import { ageBandYears, DENIAL_RISK_FEATURES, toFeatureRow } from '#prior-auth/learning/features.ts';
import type { OutcomeRecord } from '#prior-auth/learning/outcome-record.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { uuidv7 } from '#store/uuid.ts';
import { type PastDecisionsReplay, replayPastDecisions } from './history.ts';
import type { LabelTables } from './label-tables.ts';

export interface TableRequest {
  readonly kind: 'denial-risk' | 'appeal';
  /** Real decisions and those of a sandbox payer are never in one table. */
  readonly simulated: boolean;
  /** Who has it made: a reference or a role's name. */
  readonly by: string;
  /** Labels learned of later are left out; default now. */
  readonly untilMs?: number;
  readonly limits?: Partial<DataLimits>;
}

export interface MadeTable {
  readonly id: string;
  readonly table: TrainingTable;
  /** SHA-256 of all that is in it; the same decisions under the same key give the same. */
  readonly dataHash: string;
  /** Empty when it may be trained on. */
  readonly faults: readonly DataFault[];
}

export interface LineageEntry {
  readonly tableId: string;
  readonly rowId: string;
  readonly labelId: string;
  readonly caseId: string;
  readonly itemSequence: number;
  readonly labelVersion: number;
}

export interface TableSummary {
  readonly id: string;
  readonly kind: TableRequest['kind'];
  readonly rows: number;
  readonly dataHash: string;
  readonly simulated: boolean;
  /** ISO instant. */
  readonly madeAt: string;
  readonly madeBy: string;
}

export interface TrainingTables {
  /** The de-identified table of the decisions on record. Writes down what is in it, for lineage. */
  make(request: TableRequest): Promise<MadeTable>;
  /** What was made, newest first. */
  list(): Promise<readonly TableSummary[]>;
  /** From a row to its decision. Who looked is written down, with the case, before it is told. */
  decisionOf(rowId: string, by: string): Promise<readonly LineageEntry[]>;
  /** From a case to the rows it became. Who looked is written down first. */
  rowsOf(caseId: string, by: string): Promise<readonly LineageEntry[]>;
}

const OWNER = 'learning';
const ALGORITHM = 'ES256';
const LABELS_AT_ONCE = 5_000;
const TABLES_SHOWN = 100;

interface Candidate {
  readonly id: string;
  readonly caseId: string;
  readonly record: OutcomeRecord;
  readonly positive: boolean;
  readonly computedAt: number;
  readonly decidedAt: number;
}

interface ItemRow {
  readonly case_id: string;
  readonly item_sequence: number;
  /** Instants in epoch ms. */
  readonly versions: readonly (LabelVersion & { readonly id: string; readonly record: OutcomeRecord; readonly decidedAt: number; readonly submittedAt: number | null })[];
}

export function createTrainingTables({ store, audit, now }: { readonly store: Store; readonly audit: AuditTrail; readonly now: () => number }): TrainingTables {
  return {
    async make({ kind, simulated, by, untilMs = now(), limits }) {
      const candidates = await readCandidates(store, kind, simulated, untilMs);
      const key = (await openKeyRing(store, OWNER, [ALGORITHM], now)).current(ALGORITHM);
      const secret = createHmac('sha256', String(key.privateJwk.d)).update('row ids of training tables').digest();
      const rowIdOf = (labelId: string) => createHmac('sha256', secret).update(`${kind} ${labelId}`).digest('hex').slice(0, 32);
      // Within a month the order is that of the hashes: it says nothing of the day.
      const ordered = candidates.map((each) => ({ ...each, rowId: rowIdOf(each.id), month: monthOf(each.decidedAt) })).sort((a, b) => a.month - b.month || (a.rowId < b.rowId ? -1 : 1));
      const replay = await replayPastDecisions(store.db, untilMs);
      const table = toTable(ordered, replay, { kind, simulated });
      const faults = dataFaults(table, {
        ...(limits ? { limits } : {}),
        clock: { computedAt: Float64Array.from(ordered, ({ computedAt }) => computedAt), decidedAt: Float64Array.from(ordered, ({ decidedAt }) => decidedAt) },
        nowMs: now(),
      });
      const dataHash = hashOf(table);
      const keyId = String(key.publicJwk.kid);
      const id = await store.transaction(async (trx) => {
        const tables = trx.withTables<LabelTables>();
        await audit.recordWithin(trx, { action: 'training-table-made', who: by, details: { kind, rows: ordered.length, simulated, dataHash: dataHash.slice(0, 12), faults: faults.length } });
        const made = await tables
          .insertInto('learning.training_table')
          .values({ id: uuidv7(now()), kind, key_id: keyId, row_count: ordered.length, data_hash: dataHash, simulated, until: new Date(untilMs).toISOString(), made_at: new Date(now()).toISOString(), made_by: by })
          .onConflict((conflict) => conflict.columns(['kind', 'key_id', 'data_hash']).doNothing())
          .returning('id')
          .executeTakeFirst();
        // The same rows under the same key are the same table.
        if (!made) return (await tables.selectFrom('learning.training_table').select('id').where('kind', '=', kind).where('key_id', '=', keyId).where('data_hash', '=', dataHash).executeTakeFirstOrThrow()).id;
        const rows = JSON.stringify(ordered.map(({ rowId, id }) => ({ row_id: rowId, label_id: id })));
        await sql`insert into learning.training_row (table_id, row_id, label_id) select ${made.id}::uuid, row_id, label_id from jsonb_to_recordset(${rows}::jsonb) as given (row_id text, label_id uuid)`.execute(trx);
        return made.id;
      });
      return { id, table, dataHash, faults };
    },
    async list() {
      const rows = await store.db.withTables<LabelTables>().selectFrom('learning.training_table').selectAll().orderBy('made_at', 'desc').orderBy('id', 'desc').limit(TABLES_SHOWN).execute();
      return rows.map(({ id, kind, row_count, data_hash, simulated, made_at, made_by }) => ({ id, kind, rows: row_count, dataHash: data_hash, simulated, madeAt: made_at.toISOString(), madeBy: made_by }));
    },
    async decisionOf(rowId, by) {
      const found = await lineage(store, { rowId });
      const cases = [...new Set(found.map(({ caseId }) => caseId))];
      await store.transaction(async (trx) => {
        for (const caseId of cases.length > 0 ? cases : [undefined]) await audit.recordWithin(trx, { action: 'training-lineage-viewed', who: by, ...(caseId ? { caseId } : {}), details: { from: 'row' } });
      });
      return found;
    },
    async rowsOf(caseId, by) {
      if (!/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(caseId)) return [];
      await store.transaction((trx) => audit.recordWithin(trx, { action: 'training-lineage-viewed', who: by, caseId, details: { from: 'case' } }));
      return lineage(store, { caseId });
    },
  };
}

async function lineage(store: Store, of: { readonly rowId: string } | { readonly caseId: string }): Promise<readonly LineageEntry[]> {
  const { rows } = await sql<LineageEntry>`select row.table_id as "tableId", row.row_id as "rowId", label.id as "labelId", label.case_id as "caseId", label.item_sequence as "itemSequence", label.version as "labelVersion"
    from learning.training_row row join learning.label label on label.id = row.label_id
    where ${'rowId' in of ? sql`row.row_id = ${of.rowId}` : sql`label.case_id = ${of.caseId}::uuid`} order by row.table_id, row.row_id`.execute(store.db);
  return rows;
}

/** One for each item that has a label of the kind and was scored before it was sent. */
async function readCandidates(store: Store, kind: TableRequest['kind'], simulated: boolean, untilMs: number): Promise<readonly Candidate[]> {
  const until = new Date(untilMs).toISOString();
  const found: Candidate[] = [];
  let after = { caseId: '00000000-0000-0000-0000-000000000000', item: 0 };
  for (;;) {
    // Whole items at a time, so that no item's versions are torn apart.
    const { rows } = await sql<ItemRow>`select case_id, item_sequence,
        jsonb_agg(jsonb_build_object('id', id, 'version', version, 'cause', cause, 'label', label, 'record', record,
          'decidedAt', (extract(epoch from decided_at) * 1000)::double precision, 'submittedAt', (extract(epoch from submitted_at) * 1000)::double precision) order by version) as versions
      from learning.label where recorded_at <= ${until}::timestamptz and (case_id, item_sequence) > (${after.caseId}::uuid, ${after.item})
      group by case_id, item_sequence order by case_id, item_sequence limit ${LABELS_AT_ONCE}`.execute(store.db);
    for (const { case_id, versions } of rows) {
      const chosen = kind === 'denial-risk' ? denialLabel(versions) : appealLabel(versions);
      const first = versions[0];
      if (!chosen || !first || chosen.label === 'excluded' || chosen.record.facts === null || chosen.record.simulated !== simulated) continue;
      const submittedAt = first.submittedAt ?? first.decidedAt;
      const scoredUpTo = chosen.record.historyAsOf === null ? submittedAt : Date.parse(chosen.record.historyAsOf);
      found.push({
        id: chosen.id, caseId: case_id, record: chosen.record, decidedAt: chosen.decidedAt,
        computedAt: Math.min(scoredUpTo, submittedAt),
        positive: kind === 'denial-risk' ? chosen.label === 'denied' : chosen.label !== 'upheld',
      });
    }
    const last = rows.at(-1);
    if (!last || rows.length < LABELS_AT_ONCE) return found;
    after = { caseId: last.case_id, item: last.item_sequence };
  }
}

function toTable(ordered: readonly (Candidate & { readonly rowId: string; readonly month: number })[], replay: PastDecisionsReplay, { kind, simulated }: Pick<TableRequest, 'kind' | 'simulated'>): TrainingTable {
  const width = DENIAL_RISK_FEATURES.length;
  const rows = new Float32Array(ordered.length * width);
  ordered.forEach(({ record, computedAt }, index) => {
    const { facts } = record;
    if (facts) rows.set(toFeatureRow(facts, replay.at({ ...facts, payerId: record.payerId, procedure: record.procedure, simulated: record.simulated }, computedAt) ?? NOTHING_PAST), index * width);
  });
  const group = (valueOf: (record: OutcomeRecord) => string | null | undefined) => foldRare(ordered.map(({ record }) => valueOf(record) ?? 'unknown'));
  return {
    features: [...DENIAL_RISK_FEATURES],
    rows,
    labels: Uint8Array.from(ordered, ({ positive }) => Number(positive)),
    times: Float64Array.from(ordered, ({ month }) => month),
    groups: {
      payer: group(({ payerId }) => payerId),
      service_family: group(({ facts }) => facts?.serviceFamily),
      procedure: group(({ procedure }) => procedure),
      specialty: group(({ facts }) => facts?.requesterSpecialty),
      age_band: group(({ facts }) => ageBandYears(facts?.patientAgeYears ?? null)?.toString()),
      sex: group(({ patientSex }) => patientSex),
      urgent: group(({ facts }) => facts?.urgent?.toString()),
    },
    rowIds: ordered.map(({ rowId }) => rowId),
    simulated,
    source: `${simulated ? 'simulated decisions of the sandbox payer' : "payers' decisions"} on record here (${kind === 'appeal' ? 'appeals of denied items' : 'items'})`,
  };
}

const NOTHING_PAST = { byPayer: {}, byFamily: {}, byPayerAndFamily: {} };

/** Values of fewer rows than could hide a person become one; where that one is rare itself, the rarest of the rest joins it. */
export function foldRare(values: readonly string[], least = DATA_LIMITS.leastOfGroup): string[] {
  const counts = new Map<string, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  const rarestFirst = [...counts].sort(([a, m], [b, n]) => m - n || (a < b ? -1 : 1));
  const folded = new Set<string>();
  let together = 0;
  for (const [value, count] of rarestFirst) {
    if (count >= least && (together === 0 || together >= least)) break;
    folded.add(value);
    together += count;
  }
  return values.map((value) => (folded.has(value) ? FOLDED : value));
}

function monthOf(epochMs: number): number {
  const day = new Date(epochMs);
  return Date.UTC(day.getUTCFullYear(), day.getUTCMonth(), 1);
}

function hashOf({ features, rows, labels, times, rowIds, groups }: TrainingTable): string {
  const hash = createHash('sha256').update(JSON.stringify([features, rowIds, groups]));
  for (const part of [rows, labels, times]) hash.update(new Uint8Array(part.buffer, part.byteOffset, part.byteLength));
  return hash.digest('hex');
}
