import type { Server } from 'node:http';
import express from 'express';
import { sql } from 'kysely';
import pino from 'pino';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { createPasSender } from '#server/pas/sender.ts';
import { createCasePort } from '#server/store/case-answers.ts';
import { createCaseStore } from '#server/store/cases.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '#server/store/migrations.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openStore } from '#store/database.ts';
import { startJobs } from '#store/jobs.ts';
import { migratePart } from '#store/migrate.ts';
import { openKeyRing } from '#store/signing-keys.ts';
import { chaosPayers, enterCase } from './enter-case.ts';

// The sending side as it is, in a process that may be killed at any moment; POST /chaos/case?n= enters the n-th case, however often it is asked.
const setting = (name: string): string => process.env[name] ?? '';
const port = Number(setting('CHAOS_PORT'));
const log = pino({ level: setting('LOG_LEVEL') || 'error' }, pino.destination(2));
const onError = (error: unknown): void => log.error({ err: error }, 'fault');

const store = await openStore({ dataDir: setting('CHAOS_DATA_DIR'), databaseUrl: setting('CHAOS_DATABASE_URL') || undefined });
const jobs = await startJobs(store, onError);
const audit = await openAuditTrail(store, Date.now, onError);
await migratePart(store, 'cases', CASE_MIGRATIONS);
await migratePart(store, 'learning', LEARNING_MIGRATIONS);
const cases = createCaseStore(store, Date.now, () => 'America/Los_Angeles');
const payers = createPayerDirectory(chaosPayers(setting('CHAOS_PAYER')));
const sender = await createPasSender({
  store, jobs, baseUrl: `http://127.0.0.1:${port}`, log, now: Date.now, audit, payers,
  keys: await openKeyRing(store, 'server', ['ES384', 'RS384'], Date.now),
  cases: createCasePort(cases, Date.now),
  inquiryIntervalMs: 3_000,
  retryBaseMs: 100,
  timeoutMs: Number(setting('CHAOS_TIMEOUT_MS')),
  leaseMs: Number(setting('CHAOS_TIMEOUT_MS')) * 3,
  subscriptions: { statusIntervalMs: 5_000 },
});
const app = express();
app.post('/chaos/case', async (request, response) => {
  response.json(await enterCase({ store, cases, sender }, Number(request.query['n'])));
});
app.get('/chaos/progress', async (_request, response) => {
  const { rows } = await sql<{ known: number; done: number }>`select count(*)::int as known, (count(*) filter (where state = 'decided'))::int as done from cases.prior_auth_case`.execute(store.db);
  response.json(rows[0]);
});
app.use(sender.router);
const http: Server = await new Promise((resolve, reject) => {
  // Two processes take the same port; connections go to either.
  const listening = app.listen({ port, host: '127.0.0.1', reusePort: setting('CHAOS_DATABASE_URL') !== '' }, () => resolve(listening));
  listening.once('error', reject);
});
await sender.start();
process.stdout.write(`${JSON.stringify({ base: `http://127.0.0.1:${port}` })}\n`);

process.once('SIGTERM', async () => {
  await sender.stop();
  await jobs.stop();
  await audit.stop();
  http.closeAllConnections();
  http.close();
  await store.close();
  process.exit(0);
});
