import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AxeBuilder } from '@axe-core/playwright';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type FrameLocator, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { readConfig } from '#start/config.ts';
import { type Running, startOpenPriorAuth } from '#start/open-prior-auth.ts';

const pictures = join(import.meta.dirname, '..', 'dist', 'pictures');

/** The whole system and a real Chromium. Whatever a page complains about fails the test at `closePage`. */
export class BrowserScreens {
  readonly #system: Running;
  readonly #browser: Browser;
  readonly #dataDir: string;
  #context: BrowserContext | undefined;
  #faults: string[] = [];
  #forgiven: readonly string[] = [];

  private constructor(system: Running, browser: Browser, dataDir: string) {
    this.#system = system;
    this.#browser = browser;
    this.#dataDir = dataDir;
  }

  /** `prepare` fills the store's folder before the system starts on it. */
  static async open({ environment = {}, prepare }: { readonly environment?: Readonly<Record<string, string>>; readonly prepare?: (dataDir: string) => Promise<void> } = {}): Promise<BrowserScreens> {
    mkdirSync(pictures, { recursive: true });
    const dataDir = mkdtempSync(join(tmpdir(), 'opa-screens-'));
    await prepare?.(dataDir);
    const system = await startOpenPriorAuth(readConfig({ PORT: '0', DATA_DIR: dataDir, REVIEW_DELAY_MS: '5000', LOG_LEVEL: process.env['LOG_LEVEL'] ?? 'error', ...environment }));
    const browser = await chromium.launch({ executablePath: process.env['CHROMIUM_PATH'] ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--no-first-run'] });
    return new BrowserScreens(system, browser, dataDir);
  }

  async close(): Promise<void> {
    await this.#browser.close();
    await this.#system.stop();
    rmSync(this.#dataDir, { recursive: true, force: true });
  }

  async openPage(viewport: { readonly width: number; readonly height: number }, options: BrowserContextOptions = {}): Promise<Page> {
    this.#faults = [];
    this.#forgiven = ['401']; // how a screen learns that nobody is signed in
    this.#context = await this.#browser.newContext({ viewport, baseURL: this.#system.baseUrl, locale: 'en-US', timezoneId: 'America/New_York', reducedMotion: 'reduce', ...options });
    const page = await this.#context.newPage();
    page.setDefaultTimeout(15_000);
    page.on('pageerror', (error) => this.#faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') this.#faults.push(message.text());
    });
    return page;
  }

  /** The browser logs an error for every failed call, also where failing is what is tested. */
  forgive(...parts: readonly string[]): void {
    this.#forgiven = [...this.#forgiven, ...parts];
  }

  async closePage(): Promise<void> {
    await this.#context?.close();
    const faults = this.#faults.filter((fault) => !this.#forgiven.some((part) => fault.includes(part)));
    if (faults.length > 0) throw new Error(`The browser complained: ${faults.join('; ')}`);
  }
}

/** The screen has no accessibility finding (WCAG 2.2 A and AA) and does not scroll sideways. Leaves a picture. */
export async function expectSound(page: Page, name: string): Promise<void> {
  await expectFitting(page, name);
  const { violations } = await new AxeBuilder({ page }).withTags(['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']).analyze();
  expect(violations.map(({ id, nodes }) => `${name}: ${id} at ${nodes.map((node) => node.target.join(' ')).join(', ')}`)).toEqual([]);
}

/** The screen does not scroll sideways. Leaves a picture. */
export async function expectFitting(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: join(pictures, `${name}.png`) });
  for (const frame of page.frames()) {
    const overflow = await frame.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overflow, `${name} scrolls sideways by ${overflow} px at ${frame.url().replace(/\?.*/, '')}`).toBeLessThanOrEqual(0);
  }
}

export async function signIn(page: Page): Promise<void> {
  await page.goto('/');
  await page.getByRole('button', { name: /Priya Nair/ }).click();
  await page.getByRole('heading', { name: 'Patients' }).waitFor();
}

export async function openChart(page: Page, patient: string): Promise<void> {
  await page.getByRole('button', { name: new RegExp(patient) }).or(page.getByRole('link', { name: new RegExp(patient) })).first().click();
  await page.getByRole('heading', { name: new RegExp(patient), level: 1 }).waitFor();
}

export async function signOrder(page: Page, item: RegExp): Promise<void> {
  const choice = page.getByLabel('What to order');
  const label = await choice.locator('option').filter({ hasText: item }).first().innerText();
  await choice.selectOption({ label });
  await page.getByRole('button', { name: 'Sign order' }).click();
  await page.getByRole('heading', { name: /^Signed:/ }).waitFor();
}

export async function openPanel(page: Page): Promise<FrameLocator> {
  await page.getByRole('button', { name: /Open (the prior )?authorization panel/ }).first().click();
  const panel = page.frameLocator('iframe');
  await panel.getByRole('heading', { name: 'Prior authorization' }).waitFor();
  return panel;
}

/** The panel of a freshly signed order, without the chart around it. */
export async function openPanelAlone(page: Page, patient: string, item: RegExp): Promise<void> {
  await signIn(page);
  await openChart(page, patient);
  await signOrder(page, item);
  await openPanel(page);
  const frame = page.frames().find((one) => one.url().includes('/panel/'));
  if (frame === undefined) throw new Error('There is no panel in the page.');
  await page.goto(frame.url());
  await page.getByRole('heading', { name: 'Prior authorization' }).waitFor();
}
