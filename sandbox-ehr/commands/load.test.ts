import { execFile } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, statSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type RunningSandboxEhr, runSandboxEhr } from '#test-fixtures/running-sandbox-ehr.ts';
import { loaderKeyFile } from '../loader-client.ts';
import { gatherRecords } from './gather-records.ts';

const REPOSITORY = join(import.meta.dirname, '../..');
const SHARED = join(REPOSITORY, '../shared/cases');
const SEED = join(SHARED, 'ehr/test-ehr-seed');
const CRD_BUNDLE = join(SHARED, 'crd/spec/crd_transaction_bundle.json');
const sharedCases = existsSync(SEED) && existsSync(CRD_BUNDLE);
if (!sharedCases) process.stderr.write('left out: the tests on ../shared/cases, because that folder is not here\n');

let ehr: RunningSandboxEhr;
let dataDir: string;
let cookie: string;
beforeAll(async () => {
  dataDir = mkdtempSync(join(tmpdir(), 'ehr-load-'));
  ehr = await runSandboxEhr({ dataDir });
  cookie = await ehr.login();
});
afterAll(async () => {
  await ehr.stop();
  rmSync(dataDir, { recursive: true });
});

const load = (...args: readonly string[]) =>
  new Promise<{ code: number; out: string }>((done) => {
    const env = { ...process.env, DATA_DIR: dataDir };
    execFile(process.execPath, [join(import.meta.dirname, 'load.ts'), ...args], { env, cwd: REPOSITORY }, (error, stdout, stderr) => done({ code: error ? Number(error.code) : 0, out: stdout + stderr }));
  });
const get = async (path: string) => (await (await fetch(`${ehr.fhirBase}/${path}`, { headers: { cookie } })).json()) as Record<string, unknown>;

function folder(files: Readonly<Record<string, unknown>>): string {
  const path = mkdtempSync(join(dataDir, 'files-'));
  mkdirSync(join(path, 'deeper'));
  for (const [name, content] of Object.entries(files)) writeFileSync(join(path, name), typeof content === 'string' ? content : JSON.stringify(content));
  return path;
}

describe('ehr:load into a running EHR', () => {
  it('keeps its key for the owner only', () => expect(statSync(loaderKeyFile(dataDir)).mode & 0o777).toBe(0o600));

  it('loads files of any ending, below folders too, and says what it skipped', async () => {
    const path = folder({
      'a.json': { resourceType: 'Patient', id: 'load-a', name: [{ family: 'Loaded' }] },
      'deeper/bjson': { resourceType: 'Condition', id: 'load-b', subject: { reference: 'Patient/load-a' }, 'recordedDate ': '2026-01-01', colour: 'red' },
      'notes.txt': 'no JSON',
      'list.json': [1],
    });
    const { code, out } = await load(path, '--base', ehr.baseUrl);
    expect(out).toContain('2 resources loaded, 0 refused');
    expect(out).toMatch(/skipped .*notes\.txt: not JSON/);
    expect(out).toMatch(/mended .*bjson: .*colour: left out/);
    expect(code).toBe(0);
    expect(await get('Condition?patient.family=Loaded')).toMatchObject({ total: 1 });
  });

  it('exits with 1 when something is refused, and loads the rest', async () => {
    const path = folder({ 'bad.json': { resourceType: 'Alien', id: 'x' }, 'good.json': { resourceType: 'Patient', id: 'load-good' }, 'bundle.json': { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: { resourceType: 'Patient', id: 'load-never' } }, { resource: { resourceType: 'Observation' } }] } });
    const { code, out } = await load(path, '--base', ehr.baseUrl);
    expect(code).toBe(1);
    expect(out).toMatch(/refused .*bad\.json/);
    expect(await get('Patient/load-good')).toMatchObject({ id: 'load-good' });
    expect(await get('Patient/load-never')).toMatchObject({ resourceType: 'OperationOutcome' });
  });

  it.each([
    ['a path that is not there', 'no-such-file.json', /There is no file or folder no-such-file\.json/],
    ['a file that is no FHIR', 'package.json', /skipped .*package\.json[\s\S]*0 resources loaded/],
  ])('exits with 1 at %s', async (_name, path, said) => {
    const { code, out } = await load(path, '--base', ehr.baseUrl);
    expect(out).toMatch(said);
    expect(code).toBe(1);
  });

  it('says clearly when no EHR answers at --base', async () => {
    const { code, out } = await load(folder({}), '--base', 'http://localhost:9');
    expect([code, out]).toEqual([1, 'No sandbox EHR answers at http://localhost:9.\n']);
  });
});

describe.skipIf(!sharedCases)('records made by others', () => {
  it('every one of them loads', async () => {
    const { code, out } = await load(SEED, CRD_BUNDLE, '--base', ehr.baseUrl);
    expect(out).toContain('208 resources loaded, 0 refused');
    expect(code).toBe(0);
    expect(gatherRecords(SEED)).toMatchObject({ skipped: [], refused: [] });
    expect(await get('Observation?patient=pat015&_summary=count')).toMatchObject({ total: 11 });
  });

  it.each(['DeviceRequest/devreq014', 'DeviceRequest/devreq015'])('%s can be signed and launched', async (order) => {
    const post = async (path: string) =>
      (await (await fetch(`${ehr.baseUrl}/ehr/ui/orders/${path}`, { method: 'POST', headers: { cookie, 'content-type': 'application/json' }, body: JSON.stringify({ order }) })).json()) as Record<string, unknown>;
    expect(await post('sign')).toMatchObject({ order });
    expect(await get(order)).toMatchObject({ status: 'active' });
    const { launchUrl } = await post('launch');
    const { url, verifier } = ehr.authorizeUrl({ launch: new URL(String(launchUrl)).searchParams.get('launch') ?? '' });
    const { url: returned } = await ehr.browse(url, ehr.cookieJar(cookie));
    const { body } = await ehr.postToken({ grant_type: 'authorization_code', code: returned.searchParams.get('code') ?? '', code_verifier: verifier, redirect_uri: ehr.redirectUri }, 'test-app');
    const number = order.slice(-3);
    expect(body).toMatchObject({ patient: `pat${number}`, fhirContext: [{ reference: order }, { reference: `Coverage/cov${number}` }] });
  });
});
