import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clientsPage } from '#cds-hooks/admin/clients-page.ts';
import { feedbackPage } from '#cds-hooks/admin/feedback-page.ts';
import type { KnownClient } from '#cds-hooks/client-trust/trusted-clients.ts';
import type { KindFeedback } from '#cds-hooks/feedback-summary.ts';
import { ehrsPage } from '#server/admin/ehrs-page.ts';
import { payersPage } from '#server/admin/payers-page.ts';
import { subscriptionsPage } from '#server/admin/subscriptions-page.ts';
import type { KnownPayer } from '#server/connections/registered-payers.ts';
import type { SubscriptionHealth } from '#server/pas/notifications-health.ts';
import type { KnownEhr } from '#server/smart/registered-ehrs.ts';
import type { RingKey } from '#store/signing-keys.ts';
import { runCdsHooks } from '../test-fixtures/running-cds-hooks.ts';
import { type Html, sendPage } from './html.ts';

const pictures = join(import.meta.dirname, '..', 'dist', 'pictures');
const LONG = 'https://a-very-long-subdomain-of-a-hospital-group.northern-district.region.ehr.example/tenants/0a1b2c3d4e5f60718293a4b5c6d7e8f9/r4';
const client = (iss: string, name: string): KnownClient => ({ source: 'admin-page', id: 'x', client: { iss, name, jku: `${iss}/.well-known/jwks.json`, algorithms: ['ES256'], fhirServers: [iss, `${iss}/second`] }, keys: Object.assign(async () => Promise.reject(new Error('none')), { warm: async () => undefined }) });
const clients = [client(LONG, 'The clinics and practices of the northern district, all sites'), client('https://short.example', 'Short'), client(`urn:${'0123456789abcdef'.repeat(8)}`, 'W'.repeat(90))];
const kind = (name: string, type: string): KindFeedback => ({ kind: name, name, type, topic: 'guideline', accepted: 12, overridden: 345, reasons: [{ code: 'a', display: 'An echocardiogram was done elsewhere', count: 20 }, { code: 'b', display: 'x'.repeat(60), count: 2 }], comments: ['Seen at another hospital', LONG] });
const kinds = [kind('Cardiac MRI: An echocardiogram comes before the magnetic resonance imaging', 'additional-orders'), kind('Other cards', 'unknown'), kind('y'.repeat(80), 'request-form-completion')];
const payer = (id: string, name: string, more: Partial<KnownPayer['payer']> = {}): KnownPayer => ({
  source: 'admin-page', disabled: false,
  payer: { id, name, organizationIdentifiers: [{ system: 'x', value: id }], matchNames: [], fhirBase: LONG, pasVersion: '2.2.1', subscriptions: 'none', timeZone: 'America/Chicago', ...more },
});
const payers = [payer('north', 'North', { discoveryBase: LONG, mode: 'manual', plans: [{ id: 'medicaid', coverageTypes: ['MCPOL'], fhirBase: LONG, pasVersion: '2.0.1' }] }), { ...payer('w'.repeat(60), 'W'.repeat(90)), disabled: true }];
// Of a key the page shows name and algorithm only.
const keys = [{ key: { alg: 'ES384', publicJwk: { kid: 'k'.repeat(43) } } as RingKey['key'], generation: 1, createdAt: 0, useFrom: 0, retireAt: undefined }];
const ehrs: readonly KnownEhr[] = [{ source: 'admin-page', id: 'x', ehr: { name: 'W'.repeat(90), fhirBase: LONG, clientId: 'c'.repeat(60), frameOrigins: [LONG] } }, { source: 'file', ehr: { fhirBase: 'https://short.example', clientId: 'c' } }];
const subscriptions: readonly SubscriptionHealth[] = [{ payerId: 'w'.repeat(60), organizations: ['1245319599', '1912301953'], status: 'error', lastEventNumber: 7, missing: 2, waiting: 3, left: 1, eventsOffered: false, secretSince: '2026-11-01T08:00:00.000Z', lastError: `PAYER_UNAVAILABLE ${LONG}` }];
const shared = { csrf: 'x', fileFault: undefined, baseUrl: 'https://prior-auth.example', nowMs: 1 };
const PAGES: Readonly<Record<string, () => Html>> = {
  clients: () => clientsPage({ clients, csrf: 'x', fileFault: undefined }),
  'clients-none': () => clientsPage({ clients: [], csrf: 'x', fileFault: undefined }),
  feedback: () => feedbackPage(kinds, 90),
  'feedback-none': () => feedbackPage([], 90),
  payers: () => payersPage({ ...shared, payers, keys }),
  'payers-none': () => payersPage({ ...shared, payers: [], keys }),
  'payers-faults': () => payersPage({ ...shared, payers, keys, faults: { timeZone: 'is no time zone', fhirBase: `must be https ${LONG}` } }),
  ehrs: () => ehrsPage({ ...shared, ehrs }),
  'ehrs-none': () => ehrsPage({ ...shared, ehrs: [] }),
  subscriptions: () => subscriptionsPage(subscriptions),
  'subscriptions-none': () => subscriptionsPage([]),
};

let server: Server;
let browser: Browser;
beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  const app = express();
  app.get('/:page', (request, response) => sendPage(response, 200, 'Open Prior Auth', PAGES[request.params.page]?.() ?? { html: '' }));
  server = createServer(app).listen(0);
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'] });
});
afterAll(async () => {
  await browser.close();
  server.close();
});

async function at(width: number, name: string, look: (page: Page) => Promise<void>): Promise<void> {
  const context = await browser.newContext({ viewport: { width, height: 900 } });
  const page = await context.newPage();
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/${name}`);
  await look(page);
  await context.close();
}
/** The words of a cell, each on one line: a word in two pieces has two rectangles. */
const brokenWords = (page: Page, cells: string): Promise<readonly string[]> =>
  page.locator(cells).evaluateAll((found) =>
    found.flatMap((cell) => {
      const texts = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
      const broken: string[] = [];
      while (texts.nextNode()) {
        for (const { 0: word, index } of (texts.currentNode.textContent ?? '').matchAll(/\S+/g)) {
          const range = document.createRange();
          range.setStart(texts.currentNode, index);
          range.setEnd(texts.currentNode, index + word.length);
          if (new Set([...range.getClientRects()].map(({ top }) => Math.round(top))).size > 1) broken.push(word);
        }
      }
      return broken;
    }),
  );

describe.each([360, 1280])('at %i px', (width) => {
  it.each(Object.keys(PAGES))('%s: the page itself does not scroll sideways', (name) => at(width, name, async (page) => {
    await page.screenshot({ path: join(pictures, `admin-${name}-${width}.png`), fullPage: true });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
  }));
  it('words of ours are in one piece, however long what clients give is', async () => {
    await at(width, 'clients', async (page) => expect([await brokenWords(page, 'thead th'), await brokenWords(page, 'td.words')]).toEqual([[], []]));
    await at(width, 'feedback', async (page) => expect([await brokenWords(page, 'thead th'), await brokenWords(page, 'td.words')]).toEqual([[], []]));
  });
});

it('at 1280 px state and button of every client are in sight without scrolling, whatever its name', () => at(1280, 'clients', async (page) => {
  const table = await page.locator('.wide').evaluate((wide) => [wide.scrollWidth, wide.clientWidth]);
  expect(table[0]).toBeLessThanOrEqual(table[1] ?? 0);
  for (const box of await page.locator('td button').all()) expect(await box.boundingBox().then((found) => (found ? found.x + found.width : Infinity))).toBeLessThanOrEqual(1280);
}));

const WITH_TABLES = ['clients', 'feedback', 'payers', 'ehrs', 'subscriptions'];

it.each(WITH_TABLES)('at 360 px each row of %s is a card: all of it in sight, each cell under the name of its column', (name) => at(360, name, async (page) => {
  const cells = page.locator('.wide tbody th, .wide td:not(:empty)');
  expect(await cells.count()).toBeGreaterThan(1);
  const boxes = await cells.evaluateAll((found) => found.map((cell) => {
    const { left, right, height } = cell.getBoundingClientRect();
    return { left, right, isHigh: height > 0, label: cell.tagName === 'TH' ? 'heading' : getComputedStyle(cell, '::before').content, column: cell.getAttribute('data-label') };
  }));
  for (const { left, right, isHigh, label, column } of boxes) {
    expect([left >= 0, right <= 360, isHigh]).toEqual([true, true, true]);
    expect(label).toBe(column === null ? 'heading' : JSON.stringify(column));
  }
  for (const wide of await page.locator('.wide').all()) expect(await wide.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
}));

it.each(WITH_TABLES.flatMap((name) => [600, 897, 1000].map((width) => [name, width] as const)))('%s at %i px: no column is out of sight', (name, width) => at(width, name, async (page) => {
  for (const wide of await page.locator('.wide').all()) expect(await wide.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBe(0);
}));

it.each(WITH_TABLES.flatMap((name) => [360, 1280].map((width) => [name, width] as const)))('%s at %i px is a table to who has it read aloud, and breaks no rule of WCAG', (name, width) => at(width, name, async (page) => {
  const shown = page.getByRole('table').first();
  const [columns, rows, headings, cells] = await Promise.all((['columnheader', 'row', 'rowheader', 'cell'] as const).map((role) => shown.getByRole(role).count()));
  expect([columns, rows, cells].every((count) => (count ?? 0) >= 2)).toBe(true);
  expect([headings, cells]).toEqual([(rows ?? 0) - 1, ((rows ?? 0) - 1) * ((columns ?? 0) - 1)]);
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html.slice(0, 120)).join(' | ')}`)).toEqual([]);
}));

describe.each([360, 1280])('a form that is not taken, at %i px', (width) => {
  const TOKEN = 'an-admin-token-for-tests';
  it('opens on the first field that is wrong, says so in the title, and at the top of the page', async () => {
    const service = await runCdsHooks({ adminToken: TOKEN });
    const page = await browser.newPage({ viewport: { width, height: 700 } });
    await page.goto(`${service.url}/admin/cds-feedback`);
    await page.getByLabel('Admin token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(await page.title()).toMatch(/^Wrong token: /);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe('token');
    await page.reload();
    await page.goto(page.url());
    expect(new URL(page.url()).pathname).toBe('/admin/cds-clients');
    await page.goto(`${service.url}/admin/cds-feedback`);
    await page.getByLabel('Admin token').fill(TOKEN);
    await page.getByRole('button', { name: 'Sign in' }).click();
    expect(new URL(page.url()).pathname).toBe('/admin/cds-feedback');
    await page.getByRole('link', { name: 'Registered clients' }).click();
    await page.getByLabel('Issuer (iss)').fill('https://ehr.example');
    await page.getByLabel('Address of the keys (jku)').fill('http://ehr.example/jwks');
    await page.getByRole('button', { name: 'Add client' }).click();
    expect(await page.title()).toMatch(/^Not added: CDS Hooks clients/);
    await expect.poll(() => page.evaluate(() => document.activeElement?.id)).toBe('jku');
    for (const id of ['jku', 'jku-fault']) {
      const box = await page.locator(`#${id}`).boundingBox();
      expect(box && box.y >= 0 && box.y + box.height <= 700).toBe(true);
    }
    await page.screenshot({ path: join(pictures, `admin-not-added-${width}.png`) });
    expect(await page.locator('h1 + .notice[role=alert]').textContent()).toContain('The client was not added.Address of the keys (jku) ');
    await page.close();
    await service.stop();
  });
});
