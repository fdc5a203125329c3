import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { WorklistPage } from '#prior-auth/worklist-api.ts';
import { adminRows } from '#test-fixtures/bad-input/admin-rows.ts';
import { type BadRequest, faultsOf } from '#test-fixtures/bad-input/bad-request.ts';
import { cdsRows } from '#test-fixtures/bad-input/cds-rows.ts';
import { commonRows } from '#test-fixtures/bad-input/common-rows.ts';
import { ehrUiRows, fhirRows } from '#test-fixtures/bad-input/ehr-rows.ts';
import { ehrOauthRows, payerTokenRows } from '#test-fixtures/bad-input/oauth-rows.ts';
import { notificationRows, panelRows, workRows } from '#test-fixtures/bad-input/panel-rows.ts';
import { payerRows } from '#test-fixtures/bad-input/payer-rows.ts';
import { type RunningSystem, startSystem } from '#test-fixtures/bad-input/running-system.ts';
import { play } from '#walkthrough/play.ts';
import { loadStories } from '#walkthrough/story.ts';

/* Bad input on every route of the whole system: a clear error with the right status, in the route's own shape, with nothing of ours or of a patient in it, and nothing lost. */

const dataDir = mkdtempSync(join(tmpdir(), 'opa-bad-input-'));
let system: RunningSystem;
let before: Awaited<ReturnType<typeof countKept>>;

beforeAll(async () => {
  system = await startSystem(dataDir);
  before = await countKept();
}, 30_000);
afterAll(async () => {
  await system?.running.stop();
  rmSync(dataDir, { recursive: true, force: true });
});

describe('bad input', () => {
  const areas: readonly (readonly [string, (system: RunningSystem) => readonly BadRequest[] | Promise<readonly BadRequest[]>])[] = [
    ['addresses nobody serves', commonRows],
    ['CDS Hooks', cdsRows],
    ['the EHR’s FHIR API', fhirRows],
    ['the EHR’s screens', ehrUiRows],
    ['sign-in at the EHR', ehrOauthRows],
    ['the panel', panelRows],
    ['the worklist', workRows],
    ['notifications of payers', notificationRows],
    ['the operator’s pages', adminRows],
    ['the payer’s token endpoint', payerTokenRows],
    ['the payer', payerRows],
  ];
  it.each(areas)('%s', { timeout: 60_000 }, async (_area, rowsOf) => {
    const faults: string[] = [];
    for (const row of await rowsOf(system)) {
      faults.push(...(await system.send(row).then((answer) => faultsOf(row, answer), (error: Error) => [`${row.method} ${row.path.slice(0, 80)} · ${row.what} · no answer: ${error.message}`])));
    }
    expect(faults).toEqual([]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  it.each([
    ['a body shorter than its length', 'POST /ehr/ui/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{}'],
    ['a length that is no number', 'POST /ehr/ui/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: many\r\n\r\n{}'],
    ['a length and chunks at once', 'POST /ehr/ui/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /metrics HTTP/1.1\r\n\r\n'],
    ['two lengths', 'POST /ehr/ui/login HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'],
    ['a broken chunk', 'POST /ehr/ui/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'],
    ['no host', 'GET / HTTP/1.1\r\n\r\n'],
    ['a null byte in a header', 'GET / HTTP/1.1\r\nHost: x\r\nCookie: a=\u0000\r\n\r\n'],
    ['no HTTP', '\u0016\u0003\u0001hello\r\n\r\n'],
  ])('%s ends the connection or is answered 400, and hurts nobody', async (_what, bytes) => {
    const said = await sendBytes(bytes);
    expect(said === '' || said.startsWith('HTTP/1.1 400')).toBe(true);
    expect(said).not.toMatch(/\bat .*:\d+:\d+|node_modules/);
    expect((await system.send({ method: 'GET', path: '/healthz' })).status).toBe(200);
  });

  it('leaves everything as it was, and a story still goes through', { timeout: 30_000 }, async () => {
    expect(JSON.parse((await system.send({ method: 'GET', path: '/readyz' })).text)).toEqual({ status: 'ready', missing: [] });
    expect(await countKept()).toEqual(before);
    const story = loadStories(new Date().toISOString().slice(0, 10)).find(({ name }) => name === 'oxygen-approved');
    if (!story) throw new Error('no story');
    const steps: unknown[] = [];
    await play(story, system.base, (step) => steps.push(step));
    expect(steps.at(-1)).toMatchObject({ step: 'worklist-shows-it', ok: true });
  });
});

/** What must not change: the patients and orders of the EHR, the cases, and the open form's answers. */
async function countKept() {
  const totalOf = async (type: string) => (await system.json<{ total: number }>({ method: 'GET', path: `/ehr/fhir/${type}?_summary=count`, from: 'loader' })).total;
  const { rows, counts } = await system.json<WorklistPage>({ method: 'GET', path: '/work/api/cases', from: 'staff' });
  return {
    patients: await totalOf('Patient'), devices: await totalOf('DeviceRequest'), services: await totalOf('ServiceRequest'), medications: await totalOf('MedicationRequest'),
    cases: rows.map(({ caseId, state }) => `${caseId} ${state}`), counts: counts.states,
    signedIn: [(await system.send({ method: 'GET', path: '/panel/api/session', from: 'panel' })).status, (await system.send({ method: 'GET', path: '/ehr/ui/session', from: 'clinician' })).status],
  };
}

/** Sends bytes as they are and gives what comes back until the other side ends or is quiet. */
function sendBytes(bytes: string): Promise<string> {
  const { port } = new URL(system.base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), 'localhost');
    let said = '';
    const done = () => {
      socket.destroy();
      resolve(said);
    };
    socket.setTimeout(500, done);
    socket.on('data', (chunk: Buffer) => (said += chunk.toString('latin1')));
    socket.on('end', done);
    socket.on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNRESET' ? done() : reject(error)));
    socket.write(bytes, 'latin1');
  });
}
