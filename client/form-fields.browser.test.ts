import { mkdirSync, readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { AxeBuilder } from '@axe-core/playwright';
import type { Questionnaire, QuestionnaireResponse, QuestionnaireResponseItem } from '@medplum/fhirtypes';
import express from 'express';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { CaseView, FormView, PanelSession } from '#prior-auth/panel-api.ts';
import type { PanelLaunch } from '#prior-auth/panel-launch-api.ts';
import { buildScreens, screensRouter } from '#start/screens.ts';

/* The built panel in a real Chromium with just enough of its API for one form: what stands on the screen is what was sent, and every kind of field can be used and read. */

const H = 'http://hl7.org/fhir/StructureDefinition/';
const S = 'http://hl7.org/fhir/uv/sdc/StructureDefinition/sdc-questionnaire-';
const SAVE_TAKES_MS = 700;
const pictures = join(import.meta.dirname, '..', 'dist', 'pictures');
const everyElement = JSON.parse(readFileSync(join(import.meta.dirname, '..', 'payer', 'questionnaires', 'forms', 'every-element.json'), 'utf8')) as Questionnaire;

let browser: Browser;
let page: Page;
let stop: () => Promise<void> = async () => undefined;
let saves: QuestionnaireResponse[] = [];
let asked: string[] = [];
let foreign: string[] = [];
let faults: string[] = [];

beforeAll(async () => {
  mkdirSync(pictures, { recursive: true });
  await buildScreens();
  browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] });
}, 120_000);
afterAll(async () => browser?.close());
afterEach(async () => {
  await page?.context().close();
  await stop();
  if (faults.length > 0) throw new Error(`The browser complained: ${faults.join('; ')}`);
  if (foreign.length > 0) throw new Error(`Fetched from elsewhere: ${foreign.join(' ')}`);
});

async function openPanel(questionnaire: Questionnaire, more: Partial<FormView> = {}, width = 420): Promise<void> {
  [saves, asked, foreign, faults] = [[], [], [], []];
  const now = new Date().toISOString();
  let form: FormView = { formId: 'f', questionnaire, response: { resourceType: 'QuestionnaireResponse', status: 'in-progress' }, version: 1, sources: {}, population: { status: 'done', warnings: [] }, ...more };
  const session: PanelSession = { user: { reference: 'Practitioner/me', name: 'Dr Me' }, needPatientBanner: false, caseId: 'c', expiresAt: new Date(Date.now() + 3_600_000).toISOString() };
  const view: CaseView = {
    case: {
      id: 'c', version: 1, createdAt: now, updatedAt: now, ehrBase: 'http://ehr.example/fhir', patient: { id: 'p', name: 'Synthetic Patient' },
      service: { order: 'ServiceRequest/s', orderType: 'ServiceRequest', codings: [], display: 'Service', priority: 'routine', reasonCodes: [], reasonReferences: [] },
      payer: { id: 'payer', name: 'Payer' },
      requirement: { coverage: 'Coverage/c', covered: 'covered', paNeeded: 'auth-needed', docPurpose: [], infoNeeded: [], reasons: [], questionnaires: ['urn:q'], date: now.slice(0, 10), assertionId: 'a' },
      state: { kind: 'questionnaire', missing: 1 },
    },
    clock: null, decisionWords: null, risk: null,
  };
  const launch: PanelLaunch = { kind: 'case', style: {}, notGranted: [], intent: null };
  const app = express();
  app.use(screensRouter());
  app.get('/panel/api/launch', (_request, response) => void response.json(launch));
  app.get('/panel/api/session', (_request, response) => void response.json(session));
  app.get('/panel/api/case', (_request, response) => void response.json(view));
  app.get('/panel/api/hand-over', (_request, response) => void response.json({ handOver: null }));
  app.get('/panel/api/questionnaires', (_request, response) => void response.json({ forms: [form] }));
  app.get('/panel/api/questionnaires/options', (request, response) => {
    asked.push(request.url);
    response.json({ options: [{ system: 'urn:big', code: 'e1', display: 'Portable concentrator' }, { system: 'urn:big', code: 'e2', display: 'Stationary concentrator' }], more: true });
  });
  app.get('/panel/api/source/search', (request, response) => {
    asked.push(request.url);
    response.json({ references: [{ reference: 'Practitioner/7', display: 'Dr Rivera', date: '2026-10-01' }], more: false });
  });
  app.put('/panel/api/questionnaires/save', express.json({ limit: '2mb' }), (request, response) => {
    const { response: saved } = request.body as { readonly response: QuestionnaireResponse };
    void pause(SAVE_TAKES_MS).then(() => {
      saves.push(saved);
      form = { ...form, version: form.version + 1, response: saved };
      response.json({ form });
    });
  });
  app.use('/panel/api', (_request, response) => void response.json({}));
  const server = await new Promise<ReturnType<typeof app.listen>>((resolve) => {
    const listening = app.listen(0, '127.0.0.1', () => resolve(listening));
  });
  const baseURL = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  stop = () => new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
  const context = await browser.newContext({ baseURL, viewport: { width, height: 900 }, locale: 'en-US', timezoneId: 'America/New_York', reducedMotion: 'reduce' });
  page = await context.newPage();
  page.setDefaultTimeout(10_000);
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('console', (message) => { if (message.type() === 'error') faults.push(message.text()); });
  page.on('request', (request) => { if (!request.url().startsWith(baseURL) && !request.url().startsWith('data:')) foreign.push(request.url()); });
  await page.goto('/panel/?s=s');
  await page.locator('.questions').waitFor();
  await page.waitForLoadState('networkidle');
}

/** Every answer sent, by linkId; repetitions one after the other. */
function sent(): Record<string, unknown[]> {
  const answers: Record<string, unknown[]> = {};
  const walk = (items: readonly QuestionnaireResponseItem[] = []): void => items.forEach((item) => {
    for (const { extension: _extension, item: inner, ...value } of item.answer ?? []) {
      (answers[item.linkId ?? ''] ??= []).push(...Object.values(value));
      walk(inner);
    }
    walk(item.item);
  });
  walk(saves.at(-1)?.item);
  return answers;
}

async function axe(): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  return violations.map(({ id, nodes }) => `${id} at ${nodes.map((node) => node.target.join(' ')).join(', ')}`);
}

async function allSaved(): Promise<void> {
  await expect.poll(() => page.locator('.action-bar').innerText(), { timeout: 10_000 }).toMatch(/Saved at/);
}

describe('typing fast, in any order', () => {
  const groups: Questionnaire = {
    resourceType: 'Questionnaire', status: 'active', title: 'Fast',
    item: ['g1', 'g2', 'g3'].map((group) => ({
      linkId: group, type: 'group', text: group, item: [
        { linkId: `${group}.s`, type: 'string', text: `Words ${group}` },
        { linkId: `${group}.n`, type: 'integer', text: `Number ${group}` },
        { linkId: `${group}.when`, type: 'string', text: `Because ${group}`, enableWhen: [{ question: `${group}.n`, operator: '>', answerInteger: 9 }] },
        { linkId: `${group}.more`, type: 'string', repeats: true, text: `More ${group}` },
        { linkId: `${group}.sum`, type: 'integer', text: `Sum ${group}`, readOnly: true, extension: [{ url: `${S}calculatedExpression`, valueExpression: { language: 'text/fhirpath', expression: `%resource.descendants().where(linkId.endsWith('.n')).answer.value.sum()` } }] },
      ],
    })),
  };
  it('while answers to earlier saves arrive, what stands on the screen is what was sent', async () => {
    await openPanel(groups);
    const keys = { delay: 12 };
    await page.evaluate(`for (const input of document.querySelectorAll('input')) input.first = true`);
    for (let round = 0; round < 3; round += 1) {
      for (const group of ['g3', 'g1', 'g2']) {
        await page.getByLabel(`Words ${group}`).press('End');
        await page.getByLabel(`Words ${group}`).pressSequentially(`w${round}`, keys);
        await page.getByLabel(`Number ${group}`).fill('');
        await page.getByLabel(`Number ${group}`).pressSequentially(String(5 + round * 4), keys);
        if (5 + round * 4 > 9) await page.getByLabel(`Because ${group}`).pressSequentially(`b${round}`, keys);
        await page.getByLabel(`More ${group}, answer 1`).pressSequentially(`m${round}`, keys);
      }
      // Long enough for a save to leave, too short for its answer.
      await pause(1_300);
    }
    await allSaved();
    expect(saves.length).toBeGreaterThan(1);
    expect(await page.evaluate(`[...document.querySelectorAll('input[id$=".s-input"]')].filter((input) => !input.first).length`), 'no input is made anew').toBe(0);
    const answers = sent();
    for (const group of ['g1', 'g2', 'g3']) {
      expect(await page.getByLabel(`Words ${group}`).inputValue()).toBe('w0w1w2');
      expect(answers[`${group}.s`]).toEqual(['w0w1w2']);
      expect(answers[`${group}.n`]).toEqual([Number(await page.getByLabel(`Number ${group}`).inputValue())]);
      expect(answers[`${group}.when`]).toEqual([await page.getByLabel(`Because ${group}`).inputValue()]);
      expect(answers[`${group}.more`]).toEqual([await page.getByLabel(`More ${group}, answer 1`).inputValue()]);
      expect(answers[`${group}.sum`]).toEqual([39]);
    }
  }, 60_000);
});

describe('fields', () => {
  it('are searched, offered, signed, put back, and linked, by keyboard', async () => {
    const xhtml = `${H}rendering-xhtml`;
    await openPanel({
      resourceType: 'Questionnaire', status: 'active', title: 'Fields',
      extension: [{ url: `${H}questionnaire-signatureRequired`, valueCodeableConcept: { coding: [{ code: '1', display: 'Verification Signature' }] } }, { url: `${S}performerType`, valueCode: 'Practitioner' }],
      item: [
        { linkId: 'big', type: 'choice', text: 'Equipment', answerValueSet: 'http://big' },
        { linkId: 'ref', type: 'reference', text: 'Examiner', extension: [{ url: `${H}questionnaire-referenceResource`, valueCode: 'Practitioner' }] },
        { linkId: 'cand', type: 'string', text: 'Reason', required: true },
        { linkId: 'rec', type: 'string', text: 'From record', extension: [{ url: `${H}questionnaire-supportLink`, valueUri: 'https://payer.example/policy' }] },
        { linkId: 'x', type: 'string', text: 'Plain', _text: { extension: [{ url: xhtml, valueString: '<b>Rich</b> <img src="https://payer.example/track.png" onerror="alert(1)"><a href="https://payer.example">more</a><script>alert(2)</script>' }] } } as never,
      ],
    }, {
      response: { resourceType: 'QuestionnaireResponse', status: 'in-progress', item: [{ linkId: 'rec', answer: [{ valueString: 'record' }] }] },
      populated: { resourceType: 'QuestionnaireResponse', status: 'in-progress', item: [{ linkId: 'rec', answer: [{ valueString: 'record' }] }] },
      offers: { cand: { candidates: [{ value: { valueString: 'Hypoxemia' }, label: 'Hypoxemia' }], context: [{ label: 'Diagnoses', entries: [{ text: 'COPD' }] }] } },
    });
    const equipment = page.getByRole('combobox', { name: 'Equipment' });
    await equipment.pressSequentially('conc');
    await page.getByRole('option', { name: /Stationary/ }).waitFor();
    expect(await axe(), 'with the list open').toEqual([]);
    await page.screenshot({ path: join(pictures, 'search-420.png') });
    await equipment.press('ArrowDown');
    await equipment.press('Enter');
    expect(await equipment.inputValue()).toBe('Stationary concentrator');
    expect(asked.at(-1)).toContain('filter=conc');
    await equipment.pressSequentially('xyz');
    await page.getByLabel('From record').focus();
    expect(await equipment.inputValue(), 'what was not picked is no answer').toBe('Stationary concentrator');

    const examiner = page.getByRole('combobox', { name: 'Examiner' });
    await examiner.pressSequentially('riv');
    await page.getByRole('option', { name: /Rivera/ }).click();
    await page.getByText('COPD').waitFor();
    await page.getByRole('button', { name: 'Use Hypoxemia' }).click();
    await page.getByLabel('From record').fill('mine');
    await page.getByRole('button', { name: 'Clear my change' }).click();
    expect(await page.getByLabel('From record').inputValue()).toBe('record');

    await page.getByText('Rich').waitFor();
    expect(await page.locator('.xhtml img, .xhtml script').count()).toBe(0);
    for (const link of [page.getByRole('link', { name: 'more', exact: true }), page.getByRole('link', { name: /More from the payer/ })]) {
      expect([await link.getAttribute('target'), await link.getAttribute('rel')]).toEqual(['_blank', 'noopener noreferrer']);
    }
    await page.getByRole('button', { name: 'Sign: Fields' }).click();
    expect(await page.evaluate('document.activeElement.autocomplete')).toBe('name');
    await page.getByLabel('Your full name').fill('Dr Me');
    await page.keyboard.press('Enter');
    await page.getByText(/Signed by Dr Me/).waitFor();
    await allSaved();
    expect(sent()).toEqual({ big: [{ system: 'urn:big', code: 'e2', display: 'Stationary concentrator' }], ref: [{ reference: 'Practitioner/7', display: 'Dr Rivera' }], cand: ['Hypoxemia'], rec: ['record'] });
    expect(saves.at(-1)?.extension?.[0]?.url).toBe(`${H}questionnaireresponse-signature`);
    expect(await axe(), 'offered, signed, put back').toEqual([]);
    await page.screenshot({ path: join(pictures, 'fields-420.png'), fullPage: true });
  }, 60_000);

  it('what cannot be read is kept as it stands, said, and stops completion', async () => {
    await openPanel({ resourceType: 'Questionnaire', status: 'active', title: 'Unreadable', item: [{ linkId: 'n', type: 'integer', text: 'Count' }, { linkId: 'q', type: 'quantity', text: 'Weight' }, { linkId: 'b', type: 'boolean', text: 'Yes?' }] },
      { response: { resourceType: 'QuestionnaireResponse', status: 'in-progress', item: [{ linkId: 'b', answer: [{ valueString: 'perhaps' }] }] } });
    await page.getByText('perhaps (not one').waitFor();
    await page.getByLabel('Count').pressSequentially('12a');
    await page.getByLabel('Weight', { exact: true }).pressSequentially('8o');
    await page.getByText('Enter a whole number.', { exact: true }).waitFor();
    await allSaved();
    expect(sent()).toEqual({ n: ['12a'], q: ['8o'], b: ['perhaps'] });
    await page.getByText('3 answers need a correction').waitFor();
    expect(await axe(), 'with corrections').toEqual([]);
    await page.screenshot({ path: join(pictures, 'corrections-420.png'), fullPage: true });
    expect(await page.getByRole('button', { name: 'Complete and review' }).count()).toBe(0);
    for (const label of ['Count', 'Weight']) {
      await page.getByLabel(label, { exact: true }).press('End');
      await page.keyboard.press('Backspace');
    }
    await page.getByLabel('Yes', { exact: true }).check();
    await allSaved();
    expect(sent()).toEqual({ n: [12], q: [{ value: 8 }], b: [true] });
  }, 30_000);

  it('answered in the payer’s order: one part after the other, what is past can be read only', async () => {
    await openPanel({ resourceType: 'Questionnaire', status: 'active', title: 'Order', extension: [{ url: `${S}entryMode`, valueCode: 'sequential' }], item: [{ linkId: 'a', type: 'string', text: 'First', required: true }, { linkId: 'b', type: 'string', text: 'Second', required: true }] });
    expect(await page.getByLabel('Second').count()).toBe(0);
    await page.getByRole('button', { name: 'Next question' }).click();
    expect(await page.evaluate('document.activeElement.tagName'), 'the open question takes the focus').toBe('INPUT');
    await page.keyboard.type('one');
    await page.getByRole('button', { name: 'Next question' }).click();
    await page.getByLabel('Second').fill('two');
    expect(await page.getByLabel('First').count()).toBe(0);
    await page.getByText('one', { exact: true }).waitFor();
    await allSaved();
    expect(sent()).toEqual({ a: ['one'], b: ['two'] });
  }, 30_000);

  it.each([360, 1280])('the form with every element is clean for axe and does not scroll sideways at %i px', async (width) => {
    const png = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==';
    await openPanel({ ...everyElement, item: [...(everyElement.item ?? []), { linkId: 'own', type: 'group', text: 'Folded', extension: [{ url: `${S}collapsible`, valueCode: 'default-open' }], item: [{ linkId: 'own.1', type: 'string', text: 'With a picture', extension: [{ url: `${S}itemMedia`, valueAttachment: { contentType: 'image/png', data: png, title: 'A dot' } }] }, { linkId: 'own.2', type: 'hologram' as never, text: 'Of unknown kind' }] }] }, {}, width);
    await page.screenshot({ path: join(pictures, `every-element-${width}.png`), fullPage: true });
    expect(await axe()).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBeLessThanOrEqual(0);
  }, 60_000);
});
