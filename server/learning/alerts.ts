import { sql } from 'kysely';
import type { Finding } from '#models/monitor/thresholds.ts';
import type { LearningAlert, ModelKind } from '#prior-auth/learning-api.ts';
import type { AuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { uuidv7 } from '#store/uuid.ts';
import type { MonitoringTables, Step } from './monitoring-tables.ts';
import { RegistryError } from './registry-error.ts';

export interface Alerts {
  /** Standing first, then the newest closed. */
  list(kind: ModelKind): Promise<readonly LearningAlert[]>;
  /** Opens what is new, keeps what stands, closes what has been under its limit long enough. Gives back what was opened. */
  take(kind: ModelKind, version: string, findings: readonly Finding[]): Promise<readonly LearningAlert[]>;
  acknowledge(id: string, who: string, note: string): Promise<LearningAlert>;
  close(id: string, who: string, note: string): Promise<LearningAlert>;
}

/** A figure that wavers around its limit is one alert: it closes by itself only after this long under the limit. */
const QUIET_MS = 24 * 3_600_000;
/** What a person closed is not told again for so long, though it stands. */
const SILENCE_MS = 7 * 24 * 3_600_000;
const SHOWN = 100;

export function createAlerts({ store, audit, now }: { readonly store: Store; readonly audit: AuditTrail; readonly now: () => number }): Alerts {
  const db = store.db.withTables<MonitoringTables>();
  const iso = (epochMs: number): string => new Date(epochMs).toISOString();
  const step = (id: string, who: string, note: string, state: 'acknowledged' | 'closed'): Promise<LearningAlert> =>
    store.transaction(async (trx) => {
      const tables = trx.withTables<MonitoringTables>();
      const known = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(id) ? await tables.selectFrom('monitoring.alert').select('state').where('id', '=', id).forUpdate().executeTakeFirst() : undefined;
      if (!known) throw new RegistryError('ALERT_NOT_FOUND', 'There is no alert of this id.', { nextStep: 'Load the page again.' });
      if (known.state === 'closed' || known.state === state) throw new RegistryError('ALERT_CHANGED', `The alert is ${known.state} already.`, { nextStep: 'Load the page again.' });
      const said: Step = { by: who, at: iso(now()), note };
      const row = await tables.updateTable('monitoring.alert').set({ state, [state]: JSON.stringify(said) }).where('id', '=', id).returningAll().executeTakeFirstOrThrow();
      await audit.recordWithin(trx, { action: state === 'closed' ? 'learning-alert-closed' : 'learning-alert-acknowledged', who, details: { alert: id, threshold: row.threshold } });
      return toAlert(row);
    });
  return {
    async list(kind) {
      const rows = await db.selectFrom('monitoring.alert').selectAll().where('kind', '=', kind).orderBy(sql`state = 'closed'`).orderBy('opened_at', 'desc').orderBy('id').limit(SHOWN).execute();
      return rows.map(toAlert);
    },
    take: (kind, version, findings) =>
      store.transaction(async (trx) => {
        const tables = trx.withTables<MonitoringTables>();
        const at = iso(now());
        const opened: LearningAlert[] = [];
        const silent = await tables.selectFrom('monitoring.alert').select(['threshold', 'subject', 'closed']).where('kind', '=', kind).where('version', '=', version).where('state', '=', 'closed').execute();
        const silenced = new Set(silent.flatMap(({ threshold, subject, closed }) => (closed !== null && closed.by !== MONITOR && Date.parse(closed.at) > now() - SILENCE_MS ? [`${threshold} ${subject}`] : [])));
        for (const { threshold, subject, value, limit } of findings) {
          if (silenced.has(`${threshold} ${subject ?? ''}`)) continue;
          const id = uuidv7(now());
          const row = await tables
            .insertInto('monitoring.alert')
            .values({ id, kind, threshold, subject: subject ?? '', version, state: 'open', value, limit_value: limit, opened_at: at, seen_at: at, acknowledged: null, closed: null })
            .onConflict((conflict) => conflict.columns(['kind', 'threshold', 'subject']).where('state', '<>', 'closed').doUpdateSet({ value, limit_value: limit, seen_at: at, version }))
            .returningAll()
            .executeTakeFirstOrThrow();
          if (row.id !== id) continue;
          opened.push(toAlert(row));
          await audit.recordWithin(trx, { action: 'learning-alert-opened', who: MONITOR, details: { alert: id, threshold, subject: subject ?? 'all', value: Math.round(value * 1000) / 1000, limit, version } });
        }
        const over = await tables
          .updateTable('monitoring.alert')
          .set({ state: 'closed', closed: JSON.stringify({ by: MONITOR, at, note: 'under its limit for a day, or another model is live' } satisfies Step) })
          .where('kind', '=', kind)
          .where('state', '<>', 'closed')
          .where('seen_at', '<', sql<Date>`${at}::timestamptz`)
          .where((where) => where.or([where('seen_at', '<', sql<Date>`${iso(now() - QUIET_MS)}::timestamptz`), where('version', '<>', version)]))
          .returning(['id', 'threshold'])
          .execute();
        for (const { id, threshold } of over) await audit.recordWithin(trx, { action: 'learning-alert-closed', who: MONITOR, details: { alert: id, threshold } });
        return opened;
      }),
    acknowledge: (id, who, note) => step(id, who, note, 'acknowledged'),
    close: (id, who, note) => step(id, who, note, 'closed'),
  };
}

const MONITOR = 'monitor';

interface AlertRow {
  readonly id: string;
  readonly threshold: LearningAlert['threshold'];
  readonly subject: string;
  readonly version: string;
  readonly state: LearningAlert['state'];
  readonly value: number;
  readonly limit_value: number;
  readonly opened_at: Date;
  readonly seen_at: Date;
  readonly acknowledged: Step | null;
  readonly closed: Step | null;
}

function toAlert({ subject, limit_value, opened_at, seen_at, ...row }: AlertRow): LearningAlert {
  return {
    id: row.id, threshold: row.threshold, subject: subject === '' ? null : subject, version: row.version, state: row.state, value: row.value, limit: limit_value,
    openedAt: new Date(opened_at).toISOString(), seenAt: new Date(seen_at).toISOString(), acknowledged: row.acknowledged, closed: row.closed,
  };
}
