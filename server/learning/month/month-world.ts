import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { pino } from 'pino';
import { Registry } from 'prom-client';
import { createLiveModel, type LiveModel } from '#models/serve/live-model.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import type { SimulatedDecision } from '#models/simulate/simulate-decisions.ts';
import type { LearningAlert, LearningRole } from '#prior-auth/learning-api.ts';
import { openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { startJobs } from '#store/jobs.ts';
import { openDecisionHistory } from '../history.ts';
import { openLearning } from '../open-learning.ts';
import { createSimulatedClinic, type SimulatedClinic } from './simulated-clinic.ts';

/** The learning parts of the program on a clock of their own, with simulated orders and payers, and the API that the page uses. */
export interface MonthWorld {
  readonly clinic: SimulatedClinic;
  readonly model: LiveModel;
  now(): number;
  /** What the program does by itself from time to time: past decisions are read again, the models are checked. Gives back the alerts that opened. */
  endDay(): Promise<readonly LearningAlert[]>;
  /** As that person, by HTTP. */
  call<T>(role: LearningRole, method: 'GET' | 'POST', path: string, body?: unknown): Promise<{ readonly status: number; readonly body: T }>;
  /** Actions on the models in the audit trail, oldest first. */
  audited(): Promise<readonly { readonly action: string; readonly who: string; readonly recorded: string }[]>;
  close(): Promise<void>;
}

export interface MonthWorldOptions {
  /** Empty, and this world's alone. Closed by the caller. */
  readonly store: Store;
  readonly decisions: readonly SimulatedDecision[];
  /** Epoch ms; what is submitted before `scoredFrom` is on record without a score. */
  readonly startsAt: number;
  readonly scoredFrom: number;
  /** The gate's bound on a score's time; the usual one when left out. */
  readonly mostLatencyMs?: number | undefined;
}

const PEOPLE: Readonly<Record<LearningRole, string>> = { viewer: 'viewer of the month', trainer: 'trainer of the month', approver: 'approver of the month' };
const EHRS = Array.from({ length: 40 }, (_, index) => `https://clinic-${index + 1}.example.org/fhir`);
const HOUR_MS = 3_600_000;

export async function openMonthWorld({ store, decisions, startsAt, scoredFrom, mostLatencyMs }: MonthWorldOptions): Promise<MonthWorld> {
  let clock = startsAt;
  const now = () => clock;
  const log = pino({ level: 'silent' });
  const undo: (() => unknown)[] = [];
  const close = async () => {
    for (const step of undo.toReversed()) await step();
  };
  const folder = mkdtempSync(join(tmpdir(), 'opa-month-'));
  undo.push(() => rmSync(folder, { recursive: true }));
  const rolesFile = join(folder, 'roles.json');
  const tokenOf = (role: LearningRole) => `month-${role}`;
  const people = Object.entries(PEOPLE).map(([role, name]) => ({ name, role, tokenSha256: createHash('sha256').update(tokenOf(role as LearningRole)).digest('hex') }));
  writeFileSync(rolesFile, JSON.stringify({ people }));
  const faults: unknown[] = [];
  const fault = (error: unknown) => void faults.push(error);
  try {
    const jobs = await startJobs(store, fault);
    undo.push(() => jobs.stop());
    const audit = await openAuditTrail(store, now, fault);
    undo.push(() => audit.stop());
    const learning = await openLearning({ store, jobs, metrics: new Registry(), audit, log, now, rolesFile, mostLatencyMs });
    undo.push(() => learning.stop());
    const history = await openDecisionHistory({ store, now, log, isSandboxPayer: () => true, everyMs: HOUR_MS });
    undo.push(() => history.stop());
    const model = await createLiveModel({ shipped: shippedModel, history, source: learning.registry.source('denial-risk'), now, onScored: learning.monitoring.scores.record, onFault: fault, limitMs: 5_000 });
    undo.push(() => model.close());
    const clinic = createSimulatedClinic({ store, model, decisions, scoredFrom, setClock: (instant) => { clock = instant; }, ehrs: EHRS });
    await learning.start();
    const app = express().use(learning.router);
    const http = createServer(app);
    await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
    undo.push(() => new Promise((resolve) => {
      http.closeAllConnections();
      http.close(resolve);
    }));
    const address = `http://127.0.0.1:${(http.address() as AddressInfo).port}/learning/api`;
    return {
      clinic,
      model,
      now,
      async endDay() {
        await history.refresh();
        await learning.monitoring.scores.flush();
        const opened = await learning.monitoring.check('denial-risk');
        const [first] = faults;
        if (first !== undefined) throw first;
        return opened;
      },
      async call<T>(role: LearningRole, method: 'GET' | 'POST', path: string, body?: unknown) {
        const response = await fetch(`${address}${path}`, {
          method,
          headers: { authorization: `Bearer ${tokenOf(role)}`, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
          ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        });
        return { status: response.status, body: (await response.json()) as T };
      },
      async audited() {
        const rows = await store.db.withTables<{ 'audit.event': { id: string; action: string; who: string; recorded: Date } }>().selectFrom('audit.event').select(['action', 'who', 'recorded'])
          .where((where) => where.or([where('action', 'like', 'model-%'), where('action', 'like', 'training-%'), where('action', 'like', 'learning-%')])).orderBy('recorded').orderBy('id').execute();
        return rows.map(({ action, who, recorded }) => ({ action, who, recorded: new Date(recorded).toISOString() }));
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
