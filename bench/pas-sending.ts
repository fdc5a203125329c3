import { randomUUID } from 'node:crypto';
import { sql } from 'kysely';
import pino from 'pino';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { buildSubmission } from '#prior-auth/pas-bundle/build-submission.ts';
import type { SubmissionInput } from '#prior-auth/pas-bundle/submission-input.ts';
import { createPasSender, type PasSender } from '#server/pas/sender.ts';
import { createCasePort } from '#server/store/case-answers.ts';
import { type CaseStore, createCaseStore } from '#server/store/cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '#server/store/migrations.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openStore, type Store } from '#store/database.ts';
import { startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { sampleInput } from '#test-fixtures/pas-submission-input.ts';
import { startTestPostgres } from '../tools/postgresql.ts';
import { startChild } from './child-server.ts';
import { send } from './post.ts';

// One sending process, a payer and PostgreSQL, on the cores that this program was started on. Prints {"small", "large", "baseline"}, submissions a second, and {"cpuMs"}, what one costs the sending process.
const ROUND = 1_500;
const FEW = 1_000;
const MANY = 100_000;
const ENTERING = 6;

const postgres = await startTestPostgres();
const payer = await startChild('pas-payer.ts');
const store = await openStore({ dataDir: 'memory', databaseUrl: postgres.url });
const onError = (error: unknown): void => console.error(error);
const jobs = await startJobs(store, onError);
const audit = await openAuditTrail(store, Date.now, onError);
await migratePart(store, 'cases', CASE_MIGRATIONS);
await migratePart(store, 'learning', LEARNING_MIGRATIONS);
const cases = createCaseStore(store, Date.now, () => 'America/Los_Angeles');
const payers = createPayerDirectory([{ id: 'cascade-medicare', name: 'Cascade', organizationIdentifiers: [], matchNames: [], fhirBase: `${payer.base}/fhir`, pasVersion: '2.0.1', subscriptions: 'none', timeZone: 'America/Los_Angeles' }]);
const sender = await createPasSender({ store, jobs, baseUrl: 'http://127.0.0.1:9', log: pino({ level: 'error' }, pino.destination(2)), now: Date.now, audit, payers, keys: await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now), cases: createCasePort(cases, Date.now) });
await sender.start();

await round(store, cases, sender, 300); // warms up, and is the first of the stored ones
await grow(store, FEW);
const cpuBefore = process.cpuUsage();
const small = await round(store, cases, sender, ROUND);
const { user, system } = process.cpuUsage(cpuBefore);
const cpuMs = (user + system) / 1000 / ROUND;
const baseline = await baselineRound(store, ROUND);
await grow(store, MANY);
const large = await round(store, cases, sender, ROUND);
console.log(JSON.stringify({ small, large, baseline, cpuMs }));

await sender.stop();
await jobs.stop();
await audit.stop();
await store.close();
await payer.stop();
postgres.stop();

/** From the first entry to the last decision: case opened, bundle built, validated and stored, sent, answer read and stored. */
async function round(where: Store, caseStore: CaseStore, through: PasSender, count: number): Promise<number> {
  const before = await decided(where);
  const startedAt = performance.now();
  let next = 0;
  const enter = async () => {
    while (next < count) {
      next += 1;
      await enterOne(where, caseStore, through);
    }
  };
  await Promise.all(Array.from({ length: ENTERING }, enter));
  while ((await decided(where)) < before + count) await new Promise((resolve) => setTimeout(resolve, 20));
  return (count / (performance.now() - startedAt)) * 1000;
}

async function decided(where: Store): Promise<number> {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from pas.submission where status = 'decided' and submitted_by = 'Practitioner/bench'`.execute(where.db);
  return rows[0]?.n ?? 0;
}

async function enterOne(where: Store, caseStore: CaseStore, through: PasSender): Promise<void> {
  const input = newInput();
  const { id: _id, version: _version, createdAt: _createdAt, updatedAt: _updatedAt, ...opening } = input.case;
  await where.transaction(async (trx) => {
    const opened = await caseStore.open(trx, opening, 'Practitioner/bench');
    const result = await through.queueSubmission(trx, { ...input, case: opened.case }, 'Practitioner/bench');
    if (result.kind !== 'queued') throw new Error(JSON.stringify(result));
    await caseStore.change(trx, opened.case.id, { expectedVersion: null, who: 'bench', change: () => ({ state: { kind: 'queued', queuedAt: result.queuedAt, attempts: 0 } }) });
  });
}

function newInput(): SubmissionInput {
  return sampleInput({ order: { ...sampleInput().order, id: randomUUID() } as SubmissionInput['order'] });
}

/** The least that anybody has to do: the same bytes in a bare POST, the answer in one insert; as many at once as the sender has. */
async function baselineRound(where: Store, count: number): Promise<number> {
  await sql`create table if not exists public.bench_baseline (id uuid primary key, answer text not null)`.execute(where.db);
  const built = buildSubmission(newInput(), { ids: randomUUID, now: Date.now() });
  if (built.kind !== 'built') throw new Error('the sample case does not make a bundle');
  const bytes = JSON.stringify(built.bundle);
  const startedAt = performance.now();
  let next = 0;
  const lane = async () => {
    while (next < count) {
      next += 1;
      const answer = await send('POST', `${payer.base}/fhir/Claim/$submit`, bytes);
      await sql`insert into public.bench_baseline values (${randomUUID()}, ${answer})`.execute(where.db);
    }
  };
  await Promise.all(Array.from({ length: 4 }, lane));
  return (count / (performance.now() - startedAt)) * 1000;
}

/** Copies of decided cases with everything that hangs on them, until there are `total`. */
async function grow(where: Store, total: number): Promise<void> {
  const { rows } = await sql<{ n: number }>`select count(*)::int as n from cases.prior_auth_case`.execute(where.db);
  const wanted = total - (rows[0]?.n ?? 0);
  if (wanted <= 0) return;
  await sql`drop table if exists made`.execute(where.db);
  await sql`create table made as select n, gen_random_uuid() as case_id, gen_random_uuid() as submission_id, src.id as src_case, s.id as src_submission
    from generate_series(1, ${sql.lit(wanted)}) n, (select id from cases.prior_auth_case where state = 'decided' order by id limit 1) src join pas.submission s on s.case_id = src.id`.execute(where.db);
  await copy(where, 'cases.prior_auth_case', 't.id = made.src_case', { id: 'made.case_id', order_reference: `'DeviceRequest/' || made.case_id`, document: `t.document || jsonb_build_object('id', made.case_id)` });
  await copy(where, 'cases.state_history', 't.case_id = made.src_case', { case_id: 'made.case_id' });
  await copy(where, 'cases.worklist_row', 't.case_id = made.src_case', { case_id: 'made.case_id' });
  await copy(where, 'pas.submission', 't.id = made.src_submission', { id: 'made.submission_id', case_id: 'made.case_id', bundle_identifier: 'gen_random_uuid()::text', claim_identifier: 'gen_random_uuid()::text', submitted_by: `'made'`, keys: `jsonb_set(t.keys, '{claimFullUrl}', to_jsonb('urn:uuid:' || made.submission_id))` });
  await copy(where, 'pas.answer', 't.submission_id = made.src_submission', { id: 'gen_random_uuid()', submission_id: 'made.submission_id' });
  await copy(where, 'pas.exchange', 't.case_id = made.src_case', { id: 'gen_random_uuid()', case_id: 'made.case_id', submission_id: 'made.submission_id' });
  await copy(where, 'audit.event', 't.case_id = made.src_case', { id: 'gen_random_uuid()', case_id: 'made.case_id' });
  await sql`insert into learning.outcome select gen_random_uuid(), made.case_id::text, t.item_sequence, t.label, t.record, t.recorded_at from made, (select * from learning.outcome limit 1) t`.execute(where.db);
  await sql`vacuum analyze`.execute(where.db);
}

/** Every column as it is but those in `changed`. */
async function copy(where: Store, table: string, join: string, changed: Readonly<Record<string, string>>): Promise<void> {
  const [schema, name] = table.split('.');
  const { rows } = await sql<{ column_name: string }>`select column_name from information_schema.columns where table_schema = ${schema} and table_name = ${name} and is_generated = 'NEVER'`.execute(where.db);
  if (rows.length === 0) return;
  const columns = rows.map(({ column_name }) => column_name);
  await sql`${sql.raw(`insert into ${table} (${columns.join(', ')}) select ${columns.map((column) => changed[column] ?? `t.${column}`).join(', ')} from made join ${table} t on ${join}`)}`.execute(where.db);
}
