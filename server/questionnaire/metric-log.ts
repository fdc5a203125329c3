import type { Logger } from 'pino';
import type { Store } from '#store/database.ts';
import type { PartMigrations } from '#store/migrate.ts';
import { uuidv7 } from '#store/uuid.ts';

export const DTR_MIGRATIONS: PartMigrations = {
  '000001-actions': `
    create schema if not exists dtr;
    create table dtr.action (
      id uuid primary key,
      case_id uuid not null,
      action text not null,
      questionnaire text,
      request_time timestamptz not null,
      response_time timestamptz not null,
      failure text
    );
    create index action_by_case on dtr.action (case_id, request_time)`,
};

export type DtrTables = {
  'dtr.action': { id: string; case_id: string; action: DtrAction; questionnaire: string | null; request_time: Date | string; response_time: Date | string; failure: string | null };
};

/** DTR metric-Action. */
export type DtrAction = 'launch' | 'qpackage' | 'mrquery' | 'nextq' | 'userresponse' | 'storeqr';

/** What DTRMetricData is made of, one row per action; no patient data. */
export interface MetricLog {
  /** Notes how long `work` took and whether it failed, which it does as without the note. Writing the note is not waited for. */
  timed<T>(caseId: string, action: DtrAction, questionnaire: string | undefined, work: () => Promise<T>): Promise<T>;
  note(caseId: string, action: DtrAction, questionnaire?: string): void;
  /** Ends when every note is written. */
  settle(): Promise<void>;
}

export function openMetricLog(store: Store, log: Logger, now: () => number): MetricLog {
  const writing = new Set<Promise<void>>();
  const write = (caseId: string, action: DtrAction, questionnaire: string | undefined, begun: number, failure: string | null): void => {
    const ended = now();
    const written = store.db.withTables<DtrTables>().insertInto('dtr.action')
      .values({ id: uuidv7(ended), case_id: caseId, action, questionnaire: questionnaire ?? null, request_time: new Date(begun).toISOString(), response_time: new Date(ended).toISOString(), failure })
      .execute()
      .then(() => undefined, (error: unknown) => log.warn({ err: error, action }, 'a metric of a questionnaire was not kept'))
      .finally(() => writing.delete(written));
    writing.add(written);
  };
  return {
    async timed(caseId, action, questionnaire, work) {
      const begun = now();
      try {
        const result = await work();
        write(caseId, action, questionnaire, begun, null);
        return result;
      } catch (error) {
        write(caseId, action, questionnaire, begun, error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : 'exception');
        throw error;
      }
    },
    note: (caseId, action, questionnaire) => write(caseId, action, questionnaire, now(), null),
    async settle() {
      await Promise.all(writing);
    },
  };
}
