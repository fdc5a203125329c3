import { mkdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import express from 'express';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Html, sendPage } from '#admin/html.ts';
import type { KindFeedback } from '../feedback-summary.ts';
import type { KnownClient } from '../client-trust/trusted-clients.ts';
import { clientsPage } from './clients-page.ts';
import { feedbackPage } from './feedback-page.ts';

const pictures = join(import.meta.dirname, '..', '..', 'dist', 'pictures');
const LONG = 'https://a-very-long-subdomain-of-a-hospital-group.northern-district.region.ehr.example/tenants/0a1b2c3d4e5f60718293a4b5c6d7e8f9/r4';
const client = (iss: string, name: string): KnownClient => ({ source: 'admin-page', id: 'x', client: { iss, name, jku: `${iss}/.well-known/jwks.json`, algorithms: ['ES256'], fhirServers: [iss, `${iss}/second`] }, keys: Object.assign(async () => Promise.reject(new Error('none')), { warm: async () => undefined }) });
const clients = [client(LONG, 'The clinics and practices of the northern district, all sites'), client('https://short.example', 'Short'), client(`urn:${'0123456789abcdef'.repeat(8)}`, 'W'.repeat(90))];
const kind = (name: string, type: string): KindFeedback => ({ kind: name, name, type, topic: 'guideline', accepted: 12, overridden: 345, reasons: [{ code: 'a', display: 'An echocardiogram was done elsewhere', count: 20 }, { code: 'b', display: 'x'.repeat(60), count: 2 }], comments: ['Seen at another hospital', LONG] });
const kinds = [kind('Cardiac MRI: An echocardiogram comes before the magnetic resonance imaging', 'additional-orders'), kind('Other cards', 'unknown'), kind('y'.repeat(80), 'request-form-completion')];
const PAGES: Readonly<Record<string, () => Html>> = {
  clients: () => clientsPage({ clients, csrf: 'x', fileFault: undefined }),
  'clients-none': () => clientsPage({ clients: [], csrf: 'x', fileFault: undefined }),
  feedback: () => feedbackPage(kinds, 90),
  'feedback-none': () => feedbackPage([], 90),
};

let server: Server;
let browser: Browser;
beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  const app = express();
  app.get('/:page', (request, response) => sendPage(response, 200, 'CDS Hooks', PAGES[request.params.page]?.() ?? { html: '' }));
  server = createServer(app).listen(0);
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run'] });
});
afterAll(async () => {
  await browser.close();
  server.close();
});

async function at(width: number, name: string, look: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.newPage({ viewport: { width, height: 900 } });
  await page.goto(`http://localhost:${(server.address() as AddressInfo).port}/${name}`);
  await page.screenshot({ path: join(pictures, `cds-${name}-${width}.png`), fullPage: true });
  await look(page);
  await page.close();
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
