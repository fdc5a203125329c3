import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterAll, expect, it } from 'vitest';
import { openStore } from '#store/database.ts';
import { BrowserLikeClient } from '#walkthrough/browser-like-client.ts';
import { play } from '#walkthrough/play.ts';
import { loadStories } from '#walkthrough/story.ts';
import type { WorklistPage } from '#prior-auth/worklist-api.ts';
import { freePort } from '../tools/free-port.ts';

/* kill -9 at ten random moments of the walkthrough, each followed by a restart on the same data: every case is found, each is submitted once. */

const ROUNDS = 10;
const dataDir = mkdtempSync(join(tmpdir(), 'opa-kill-'));
let server: ChildProcess | undefined;

afterAll(() => {
  server?.kill('SIGKILL');
  rmSync(dataDir, { recursive: true, force: true });
});

it(`survives kill -9 at ${ROUNDS} random moments`, { timeout: 320_000 }, async () => {
  const port = await freePort();
  const base = `http://localhost:${port}`;
  const stories = loadStories(new Date().toISOString().slice(0, 10)).filter(({ name }) => ['oxygen-approved', 'wheelchair-pended', 'stress-approved'].includes(name));
  const opened = new Set<string>();
  for (let round = 0; round < ROUNDS; round += 1) {
    await start(port);
    const story = stories[round % stories.length];
    if (!story) throw new Error('no story');
    const played = play(story, base, (step) => {
      if (typeof step['caseId'] === 'string') opened.add(step['caseId']);
    });
    await new Promise((resolve) => setTimeout(resolve, 150 + Math.random() * 2_000));
    await kill();
    await played;
  }

  await start(port);
  const staff = new BrowserLikeClient(base);
  const { users } = await staff.json<{ users: { id: string }[] }>('GET', '/ehr/ui/users');
  await staff.json('POST', '/ehr/ui/login', { user: users[0]?.id });
  await staff.navigate('/work/login');
  // What a killed process had taken is given to others when its lease is over: a hundred seconds for what was on its way to the payer.
  const until = Date.now() + 180_000;
  let rows = await allRows(staff);
  while (rows.some((row) => row.state === 'queued' || row.state === 'pended') && Date.now() < until) {
    await new Promise((resolve) => setTimeout(resolve, 300));
    rows = await allRows(staff);
  }
  expect(opened.size).toBeGreaterThan(0);
  const found = new Set(rows.map((row) => row.caseId));
  expect([...opened].filter((caseId) => !found.has(caseId))).toEqual([]);
  expect(rows.filter((row) => row.state === 'queued' || row.state === 'pended' || row.state === 'refused')).toEqual([]);
  server?.kill('SIGTERM');
  await new Promise((resolve) => server?.once('exit', resolve));

  const store = await openStore({ dataDir });
  try {
    const submitted = await sql<{ case_id: string; n: number }>`select case_id, count(*) as n from pas.submission group by case_id`.execute(store.db);
    const received = await sql<{ n: number; bundles: number }>`select count(*) as n, count(distinct bundle_value) as bundles from payer.authorization_case`.execute(store.db);
    const decided = rows.filter((row) => row.state === 'decided').length;
    expect(submitted.rows.every((row) => row.n === 1)).toBe(true);
    expect(submitted.rows.length).toBe(decided);
    expect(received.rows).toEqual([{ n: decided, bundles: decided }]);
  } finally {
    await store.close();
  }
});

async function allRows(staff: BrowserLikeClient): Promise<WorklistPage['rows']> {
  const rows: WorklistPage['rows'][number][] = [];
  let after: string | null = null;
  do {
    const page: WorklistPage = await staff.json<WorklistPage>('GET', `/work/api/cases?sort=updated${after ? `&after=${encodeURIComponent(after)}` : ''}`);
    rows.push(...page.rows);
    after = page.next;
  } while (after);
  return rows;
}

async function start(port: number): Promise<void> {
  server = spawn(process.execPath, [join(import.meta.dirname, 'main.ts')], { env: { ...process.env, PORT: String(port), PUBLIC_URL: '', DATA_DIR: dataDir, DATABASE_URL: '', REVIEW_DELAY_MS: '800', LOG_LEVEL: 'error' }, stdio: ['ignore', 'ignore', 'inherit'] });
  for (let waited = 0; waited < 30_000; waited += 100) {
    const ready = await fetch(`http://localhost:${port}/readyz`).then((response) => response.ok, () => false);
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error('the server did not become ready');
}

function kill(): Promise<void> {
  return new Promise((resolve) => {
    server?.once('exit', () => resolve());
    server?.kill('SIGKILL');
  });
}
