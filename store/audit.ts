import type { AuditEvent } from '@medplum/fhirtypes';
import { type Kysely, sql, type Transaction } from 'kysely';
import type { AnyDatabase, Store } from './database.ts';
import { migratePart } from './migrate.ts';
import { uuidv7 } from './uuid.ts';
import { createWriteBehind } from './write-behind.ts';

/** What happened, in words that stay the same: AuditEvent.subtype codes of ours. */
export const AUDIT_ACTIONS = [
  'hook-answered', 'hook-refused', 'feedback-received', 'panel-launched', 'record-read', 'case-opened', 'questionnaire-populated', 'questionnaire-saved',
  'questionnaire-completed', 'questionnaire-attested', 'questionnaire-merged', 'handed-over', 'hand-over-taken', 'hand-over-cancelled', 'hand-over-completed', 'packet-printed', 'submission-chosen', 'questionnaire-asked', 'pas-bundle-queued', 'pas-bundle-sent', 'pas-bundle-refused', 'payer-decision-received', 'denial-risk-scored', 'worklist-viewed', 'worklist-exported', 'note-written', 'call-logged', 'next-touch-set', 'case-assigned', 'case-viewed',
  'request-held', 'request-released', 'request-resent', 'request-withdrawn', 'switched-to-manual', 'switched-back', 'decision-entered', 'payer-asked', 'request-changed', 'request-cancelled', 'asked-again', 'authorization-used',
  'information-queued', 'information-sent', 'information-refused', 'payer-line-paused', 'payer-line-resumed',
  'ehr-read', 'ehr-search', 'ehr-create', 'ehr-update', 'ehr-delete', 'ehr-login', 'ehr-order-selected', 'ehr-order-signed', 'ehr-suggestion-accepted', 'payer-request-received', 'payer-decided',
  'cds-client-added', 'cds-client-disabled', 'cds-client-enabled', 'admin-signed-in', 'admin-refused', 'cds-metrics-exported', 'pas-metrics-exported', 'ehr-registered', 'ehr-disabled', 'ehr-enabled',
  'payer-connection-added', 'payer-connection-changed', 'payer-connection-disabled', 'payer-connection-enabled', 'payer-mode-changed', 'payer-connection-tested', 'signing-keys-rotated',
  'model-registered', 'model-promoted', 'model-refused', 'model-rolled-back', 'model-retired', 'model-replaced', 'model-exported', 'model-roles-refused',
  'learning-alert-opened', 'learning-alert-acknowledged', 'learning-alert-closed', 'learning-threshold-changed', 'training-asked', 'training-stopped', 'training-ended',
  'appeal-recorded', 'label-overridden', 'labels-viewed', 'training-table-made', 'training-lineage-viewed',
] as const;
export type AuditAction = (typeof AUDIT_ACTIONS)[number];

export interface AuditEntry {
  readonly action: AuditAction;
  /** Who: a relative reference ("Practitioner/123") or a system's name. Never a person's name. */
  readonly who: string;
  /** What it was about: relative references; ids only. */
  readonly what?: readonly string[];
  readonly caseId?: string;
  /** Default success. */
  readonly outcome?: 'success' | 'refused' | 'failed';
  /** Facts such as a model version or an HTTP status; no patient data. */
  readonly details?: Readonly<Record<string, string | number | boolean>>;
}

export interface AuditTrail {
  /** Durable with the caller's transaction. */
  recordWithin(trx: Transaction<AnyDatabase>, entry: AuditEntry): Promise<void>;
  /** Buffered and written in one statement at most `flushMs` later, so that a hot path never waits. A killed process may lose that window. */
  record(entry: AuditEntry): void;
  ofCase(caseId: string): Promise<readonly AuditRow[]>;
  flush(): Promise<void>;
  /** Writes what waits, for so long at most; default: five seconds. */
  stop(withinMs?: number): Promise<AuditEnd>;
}

export type AuditEnd =
  | { readonly kind: 'written' }
  /** The store did not take them in time. */
  | { readonly kind: 'lost'; readonly entries: number };

export interface AuditRow {
  readonly id: string;
  readonly recorded: string;
  readonly action: AuditAction;
  readonly who: string;
  readonly resource: AuditEvent;
}

type AuditTables = {
  'audit.event': { id: string; recorded: string; action: string; who: string; case_id: string | null; resource: string };
};

const migrations = {
  '000001-audit': `
    create schema if not exists audit;
    create table audit.event (
      id uuid primary key, recorded timestamptz not null, action text not null, who text not null, case_id uuid, resource jsonb not null
    );
    create index event_case on audit.event (case_id, recorded) where case_id is not null;
    create index event_recorded on audit.event (recorded)`,
};

/** In characters of JSON: some thousand entries in one statement, and some hundred thousand that wait for a store that is away; then the oldest are given up. */
const BATCH_SIZE = 524_288;
const MOST_WAITING = 64 * 1_048_576;
const STOP_MS = 5_000;

const OUTCOME_CODES = { success: '0', refused: '4', failed: '8' } as const;

/** The audit trail: FHIR AuditEvent rows. `now` gives epoch milliseconds; `onError` hears of a failed background write, whose entries are kept and tried again. */
export async function openAuditTrail(store: Store, now: () => number, onError: (error: unknown) => void, flushMs = 250): Promise<AuditTrail> {
  await migratePart(store, 'audit', migrations);
  const db = store.db.withTables<AuditTables>();
  const unwritten = createWriteBehind<string>({
    sizeOf: (row) => row.length,
    batchSize: BATCH_SIZE,
    mostWaiting: MOST_WAITING,
    write: (rows) => insertAll(db, rows).catch((error: unknown) => {
      onError(error);
      throw error;
    }),
  });

  const toRow = (entry: AuditEntry): AuditTables['audit.event'] => {
    const id = uuidv7(now());
    const recorded = new Date(now()).toISOString();
    return { id, recorded, action: entry.action, who: entry.who, case_id: entry.caseId ?? null, resource: JSON.stringify(toAuditEvent(id, recorded, entry)) };
  };
  // That it failed was heard above.
  const flush = (): Promise<void> => unwritten.flush().catch(() => undefined);
  const timer = setInterval(() => void flush(), flushMs);
  timer.unref();

  return {
    async recordWithin(trx, entry) {
      await trx.withTables<AuditTables>().insertInto('audit.event').values(toRow(entry)).execute();
    },
    record(entry) {
      unwritten.add(toJson(toRow(entry)));
    },
    async ofCase(caseId) {
      await flush();
      const rows = await db.selectFrom('audit.event').selectAll().where('case_id', '=', caseId).orderBy('recorded').orderBy('id').execute();
      return rows.map((row) => ({
        id: row.id,
        recorded: new Date(row.recorded).toISOString(),
        action: row.action as AuditAction,
        who: row.who,
        resource: row.resource as unknown as AuditEvent,
      }));
    },
    flush,
    async stop(withinMs = STOP_MS) {
      clearInterval(timer);
      let late: NodeJS.Timeout | undefined;
      await Promise.race([flush(), new Promise<void>((resolve) => (late = setTimeout(resolve, withinMs)))]).finally(() => clearTimeout(late));
      const entries = unwritten.count();
      return entries === 0 ? { kind: 'written' } : { kind: 'lost', entries };
    },
  };
}

function toJson({ resource, ...row }: AuditTables['audit.event']): string {
  return `${JSON.stringify(row).slice(0, -1)},"resource":${resource}}`;
}

/**
 * Many rows in one parameter: on the embedded engine a statement with a parameter for each value takes nearly twice as long, and every answer waits meanwhile.
 * A row that is there was written by a statement whose answer was lost.
 */
async function insertAll(db: Kysely<AuditTables>, rows: readonly string[]): Promise<void> {
  await sql`insert into audit.event (id, recorded, action, who, case_id, resource)
    select id, recorded, action, who, case_id, resource from jsonb_to_recordset(${`[${rows.join()}]`}::jsonb) as given (id uuid, recorded timestamptz, action text, who text, case_id uuid, resource jsonb)
    on conflict (id) do nothing`.execute(db);
}

function toAuditEvent(id: string, recorded: string, entry: AuditEntry): AuditEvent {
  const isReference = /^[A-Z][A-Za-z]+\/.+/.test(entry.who);
  return {
    resourceType: 'AuditEvent',
    id,
    type: { system: 'http://terminology.hl7.org/CodeSystem/audit-event-type', code: 'rest' },
    subtype: [{ system: 'https://openpriorauth.org/CodeSystem/audit-action', code: entry.action }],
    recorded,
    outcome: OUTCOME_CODES[entry.outcome ?? 'success'],
    agent: [{ requestor: true, who: isReference ? { reference: entry.who } : { identifier: { value: entry.who } } }],
    source: { observer: { display: 'Open Prior Auth' } },
    ...(entry.what || entry.details
      ? {
          entity: [
            ...(entry.what ?? []).map((reference) => ({ what: { reference } })),
            ...(entry.details ? [{ detail: Object.entries(entry.details).map(([type, value]) => ({ type, valueString: String(value) })) }] : []),
          ],
        }
      : {}),
  };
}
