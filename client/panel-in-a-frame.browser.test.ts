import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer, request as forward, type Server } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContext, chromium, type Frame, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readConfig } from '#start/config.ts';
import { type Running, startOpenPriorAuth } from '#start/open-prior-auth.ts';
import { type LauncherContext, type OpenLauncher, startOpenLauncher } from '#test-fixtures/open-launcher.ts';
import { testRecord } from '#test-fixtures/test-server.ts';
import { freePort } from '../tools/free-port.ts';

/*
 * The panel in a frame of an EHR at another site (127.0.0.1, the panel at localhost), in a real Chromium that blocks third-party cookies.
 * Over http no cookie comes back, so the session is proved from the page's memory; over https the cookie is partitioned (CHIPS).
 */

const LAUNCH_ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run', '--test-third-party-cookie-phaseout'];
const FIRST: LauncherContext = { patient: 'patient-1', fhirContext: ['DeviceRequest/order-1', 'Coverage/coverage-1'] };
const SECOND: LauncherContext = { patient: 'patient-2', fhirContext: ['DeviceRequest/order-of-other', 'Coverage/coverage-2'] };

function records() {
  const all = testRecord();
  const coverage = all.find(({ resourceType }) => resourceType === 'Coverage');
  const second = { ...coverage, id: 'coverage-2', beneficiary: { reference: 'Patient/patient-2' } };
  return [...all.map((one) => (one.id === 'order-of-other' ? JSON.parse(JSON.stringify(one).replaceAll('Coverage/coverage-1', 'Coverage/coverage-2')) : one)), second] as ReturnType<typeof testRecord>;
}

async function listening(server: Server | HttpsServer, host = '127.0.0.1'): Promise<number> {
  await new Promise<void>((done) => server.listen(0, host, done));
  return (server.address() as AddressInfo).port;
}

interface Installation {
  readonly baseUrl: string;
  readonly ehr: OpenLauncher;
  /** A page of the EHR, and one of a stranger, that show addresses in frames. */
  chart(...addresses: readonly string[]): string;
  stranger(address: string): string;
  stop(): Promise<void>;
}

async function install(protocol: 'http' | 'https'): Promise<Installation> {
  const folder = mkdtempSync(join(tmpdir(), 'opa-frame-'));
  const port = await freePort();
  const front = protocol === 'https' ? tlsFront(folder, port) : undefined;
  const baseUrl = `${protocol}://localhost:${front ? await listening(front, 'localhost') : port}`;
  const ehr = await startOpenLauncher(`${baseUrl}/panel/callback`, records());
  const pages = [0, 1].map(() => createHttpServer((request, response) => {
    const frames = new URL(request.url ?? '/', 'http://x').searchParams.getAll('src').map((src) => `<iframe src="${src.replaceAll('&', '&amp;')}" width="500" height="600"></iframe>`);
    response.writeHead(200, { 'content-type': 'text/html' }).end(`<!doctype html><title>Chart</title>${frames.join('')}`);
  }));
  const [chartPort = 0, strangerPort = 0] = await Promise.all(pages.map((page) => listening(page)));
  const ehrsFile = join(folder, 'ehrs.json');
  writeFileSync(ehrsFile, JSON.stringify({ ehrs: [{ name: 'EHR at another site', fhirBase: ehr.iss, clientId: ehr.clientId, clientAuthentication: 'client_secret_basic', clientSecret: ehr.clientSecret, frameOrigins: [`http://127.0.0.1:${chartPort}`] }] }));
  const running: Running = await startOpenPriorAuth(readConfig({ PORT: String(port), HOST: 'localhost', PUBLIC_URL: baseUrl, DATA_DIR: join(folder, 'data'), LOG_LEVEL: 'fatal', EHRS_FILE: ehrsFile }));
  const pageWith = (at: number, addresses: readonly string[]) => `http://127.0.0.1:${at}/?${addresses.map((address) => `src=${encodeURIComponent(address)}`).join('&')}`;
  return {
    baseUrl, ehr,
    chart: (...addresses) => pageWith(chartPort, addresses),
    stranger: (address) => pageWith(strangerPort, [address]),
    async stop() {
      await running.stop();
      await ehr.close();
      for (const server of [...pages, ...(front ? [front] : [])]) {
        server.close();
        server.closeAllConnections();
      }
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What a TLS proxy does in front of an installation. */
function tlsFront(folder: string, port: number): HttpsServer {
  execFileSync('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1', '-subj', '/CN=localhost', '-keyout', join(folder, 'key'), '-out', join(folder, 'cert')], { stdio: 'ignore' });
  return createHttpsServer({ key: readFileSync(join(folder, 'key')), cert: readFileSync(join(folder, 'cert')) }, (request, response) => {
    const behind = forward({ host: 'localhost', port, path: request.url, method: request.method, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(response);
    });
    behind.on('error', () => response.destroy());
    request.pipe(behind);
  });
}

let browser: Browser;
beforeAll(async () => {
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: LAUNCH_ARGUMENTS });
});
afterAll(() => browser?.close());

const openssl = spawnSync('openssl', ['version']).status === 0;
if (!openssl) console.warn('There is no openssl here: the panel in a frame over https is left out.');

describe.each(openssl ? (['http', 'https'] as const) : (['http'] as const))('over %s', (protocol) => {
  let system: Installation;
  let context: BrowserContext;
  let page: Page;
  beforeAll(async () => {
    system = await install(protocol);
    context = await browser.newContext({ ignoreHTTPSErrors: true, locale: 'en-US' });
    page = await context.newPage();
    page.setDefaultTimeout(15_000);
  });
  afterAll(async () => {
    await context?.close();
    await system?.stop();
  });
  const launch = (of: LauncherContext) => system.ehr.launch(`${system.baseUrl}/panel/launch`, of);
  const panels = async (): Promise<readonly Frame[]> => {
    await expect.poll(() => page.frames().filter((frame) => frame.url().includes('/panel/?s=')).length, { timeout: 15_000 }).toBeGreaterThan(0);
    return page.frames().filter((frame) => frame.url().includes('/panel/?s='));
  };

  it('the case opens in the frame, and nothing that proves the session is in its address or its storage', async () => {
    await page.goto(system.chart(launch(FIRST)));
    const [panel] = await panels();
    await panel?.getByText('Oxygen', { exact: false }).first().waitFor();
    expect(panel?.url()).not.toContain('#');
    const kept = await panel?.evaluate(() => {
      const read = (what: () => unknown): unknown => {
        try {
          return what();
        } catch (error) {
          return (error as Error).name;
        }
      };
      return JSON.stringify([read(() => Object.entries(localStorage)), read(() => Object.entries(sessionStorage)), read(() => document.cookie), location.href, window.name]);
    });
    expect(kept).toContain('SecurityError'); // the browser does block
    expect(kept).not.toMatch(/[\w-]{43}/);
    const cookies = (await context.cookies()).filter(({ name }) => name.startsWith('panel_0'));
    const look = cookies.map((cookie) => [cookie.httpOnly, cookie.secure, cookie.sameSite, cookie.partitionKey]);
    expect(look).toEqual(protocol === 'http' ? [] : [[true, true, 'None', 'http://127.0.0.1']]);
  });

  it('two charts in two frames stay apart, and each panel shows its own patient', async () => {
    await page.goto(system.chart(launch(FIRST), launch(SECOND)));
    await expect.poll(async () => (await panels()).length, { timeout: 15_000 }).toBe(2);
    const banners = await Promise.all((await panels()).map((panel) => panel.getByRole('region', { name: 'Patient' }).innerText()));
    expect(banners.filter((words) => words.includes('Olga Other'))).toHaveLength(1);
  });

  it('a new patient in the same frame is a new session; a late answer of the one before is not shown', async () => {
    await page.goto(system.chart(launch(FIRST)));
    const [before] = await panels();
    await before?.getByRole('region', { name: 'Patient' }).waitFor();
    let release = (): void => undefined;
    const held = new Promise<void>((done) => { release = done; });
    let caught = (): void => undefined;
    const asked = new Promise<void>((done) => { caught = done; });
    await page.route('**/panel/api/case', async (route) => {
      caught();
      const answer = await route.fetch().catch(() => undefined);
      await held;
      if (answer) await route.fulfill({ response: answer }).catch(() => undefined);
      else await route.abort().catch(() => undefined);
    }, { times: 1 });
    await before?.evaluate(() => location.reload()).catch(() => undefined);
    // The answer that is held back must be the first patient's: not before it was asked for does the frame go on.
    await asked;
    await page.locator('iframe').evaluate((frame, address) => { (frame as HTMLIFrameElement).src = address; }, launch(SECOND));
    const after = page.frameLocator('iframe');
    await after.getByText('Olga Other').first().waitFor();
    release();
    await page.waitForTimeout(300);
    expect(await after.getByRole('region', { name: 'Patient' }).innerText()).toContain('Olga Other');
    await page.unrouteAll({ behavior: 'ignoreErrors' });
  });

  it('a page that no EHR registered cannot show it', async () => {
    await page.goto(system.stranger(launch(FIRST)));
    await page.waitForTimeout(1000);
    const texts = await Promise.all(page.frames().slice(1).map((frame) => frame.locator('body').innerText().catch(() => '')));
    expect(texts.join('')).not.toContain('Prior authorization');
    expect(page.frames().some((frame) => frame.url().includes('/panel/?s='))).toBe(false);
  });

  it.runIf(protocol === 'http')('without a chart: the panel offers the EHR, asks for patient and order, and opens the case', async () => {
    await page.goto(`${system.baseUrl}/`);
    await page.getByRole('button', { name: /Priya Nair/ }).click();
    await page.getByRole('heading', { name: 'Patients' }).waitFor();
    await page.getByRole('button', { name: /Okafor/ }).or(page.getByRole('link', { name: /Okafor/ })).first().click();
    const choice = page.getByLabel('What to order');
    await choice.selectOption({ label: await choice.locator('option').filter({ hasText: /E1390/ }).first().innerText() });
    await page.getByRole('button', { name: 'Sign order' }).click();
    await page.getByRole('heading', { name: /^Signed:/ }).waitFor();
    await page.goto(`${system.baseUrl}/panel/`);
    await page.getByRole('link', { name: 'Sign in at Sandbox EHR' }).click();
    await page.getByLabel(/Okafor/).check();
    await page.getByRole('button', { name: 'Continue' }).click();
    await page.getByRole('heading', { name: 'Which order is it about?' }).waitFor();
    expect(await page.getByText(/Okafor/).count()).toBe(1);
    await page.getByRole('button', { name: /^Open/ }).first().click();
    await page.getByText(/filled in from the record/).waitFor();
  });
});

