import type { AuditEvent, Bundle } from '@medplum/fhirtypes';
import { sql } from 'kysely';
import type { PasMetricData } from '#fhir/pas/metric-data.ts';
import type { SubmissionKeys } from '#prior-auth/pas-bundle/build-submission.ts';
import type { Store } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { type PasTables, pasMigrations } from '../pas/submission-table.ts';
import type { TimeZoneOf } from '../store/case-clock.ts';
import type { CaseTables } from '../store/case-tables.ts';
import type { MetricTables } from './exchanges.ts';
import { type MetricCase, writePasMetricData } from './pas-metric-data.ts';

const BATCH = 200;

/** PASMetricData of every case whose request was first sent from `from` on and before `to`, oldest first. */
export async function* exportPasMetrics(store: Store, timeZoneOf: TimeZoneOf, { from, to }: { readonly from: Date; readonly to: Date }): AsyncGenerator<PasMetricData> {
  await migratePart(store, 'pas', pasMigrations);
  const { rows } = await sql<{ case_id: string }>`
    select case_id from pas.exchange where type <> 'query' group by case_id
    having min(request_time) >= ${from.toISOString()} and min(request_time) < ${to.toISOString()} order by min(request_time), case_id`.execute(store.db);
  for (let at = 0; at < rows.length; at += BATCH) yield* await readCases(store, timeZoneOf, rows.slice(at, at + BATCH).map(({ case_id }) => case_id));
}

/** All of them at once, for the figures. */
export async function collectPasMetrics(store: Store, timeZoneOf: TimeZoneOf, period: { readonly from: Date; readonly to: Date }): Promise<readonly PasMetricData[]> {
  const records: PasMetricData[] = [];
  for await (const record of exportPasMetrics(store, timeZoneOf, period)) records.push(record);
  return records;
}

async function readCases(store: Store, timeZoneOf: TimeZoneOf, ids: readonly string[]): Promise<PasMetricData[]> {
  const db = store.db.withTables<MetricTables & PasTables & CaseTables>();
  const cases = await db.selectFrom('cases.prior_auth_case').select(['id', 'document']).where('id', 'in', ids).execute();
  const exchanges = groupByCase(await db.selectFrom('pas.exchange').selectAll().where('case_id', 'in', ids).orderBy('request_time').orderBy('id').execute());
  const submissions = groupByCase(await db.selectFrom('pas.submission').select(['id', 'case_id', 'keys', 'bundle', 'submitted_at']).where('case_id', 'in', ids).where('submitted_at', 'is not', null).where('status', '<>', 'refused').orderBy('id').execute());
  const answers = groupByCase((await sql<{ case_id: string; received_at: Date }>`
    select submission.case_id, answer.received_at from pas.answer answer join pas.submission submission on submission.id = answer.submission_id
    where submission.case_id in (${sql.join(ids)}) and answer.http_status < 400 and answer.operation <> 'submit-attachment' order by answer.received_at`.execute(store.db)).rows);
  const decisions = groupByCase((await sql<{ case_id: string; resource: AuditEvent }>`select case_id, resource from audit.event where case_id in (${sql.join(ids)}) and action = 'payer-decision-received' order by recorded, id`.execute(store.db)).rows);
  const byId = new Map(cases.map((row) => [row.id, row.document]));
  return ids.flatMap((id) => {
    const document = byId.get(id);
    if (!document) return [];
    const facts: MetricCase = {
      case: document,
      timeZone: timeZoneOf(document.payer.id),
      exchanges: (exchanges.get(id) ?? []).map((row) => ({
        type: row.type,
        requestTime: iso(row.request_time),
        ...(row.response_time ? { responseTime: iso(row.response_time) } : {}),
        httpResponse: row.http_response,
        issues: row.issues as unknown as NonNullable<PasMetricData['issue']>,
        aaaCodes: row.aaa_codes as unknown as NonNullable<PasMetricData['aaaCodes']>,
      })),
      submissions: (submissions.get(id) ?? []).map((row) => ({ keys: row.keys as unknown as SubmissionKeys, bundle: JSON.parse(row.bundle) as Bundle, submittedAt: iso(row.submitted_at ?? '') })),
      answeredAt: (answers.get(id) ?? []).map(({ received_at }) => iso(received_at)),
      decisions: (decisions.get(id) ?? []).flatMap(({ resource }) => resource.entity?.flatMap(({ detail = [] }) => detail.flatMap(({ type, valueString }) => (type === 'overall' && valueString ? [valueString] : []))) ?? []),
    };
    return [writePasMetricData(facts)];
  });
}

function groupByCase<R extends { readonly case_id: string }>(rows: readonly R[]): ReadonlyMap<string, readonly R[]> {
  const groups = new Map<string, R[]>();
  for (const row of rows) groups.set(row.case_id, [...(groups.get(row.case_id) ?? []), row]);
  return groups;
}

const iso = (instant: string | Date): string => new Date(instant).toISOString();
