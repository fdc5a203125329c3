import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BrowserScreens, expectFitting, expectSound, openPanelAlone } from '#test-fixtures/browser-screens.ts';

/* The panel as people meet it: without a mouse, narrow, dark, enlarged, in Spanish, and on a bad line. */

const SIDEBAR = { width: 360, height: 740 };
const OXYGEN = /E1390/;
const READ = '3 answers filled in from the record.';

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open(); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

/** Presses Tab until the focus is on what has this name. */
async function tabTo(page: Page, name: RegExp): Promise<void> {
  for (let presses = 0; presses < 80; presses += 1) {
    await page.keyboard.press('Tab');
    if (name.test(await focusName(page))) return;
  }
  throw new Error(`Tab never reaches ${name}.`);
}

function focusName(page: Page): Promise<string> {
  return page.evaluate(() => {
    const { activeElement } = document;
    if (activeElement === null || activeElement === document.body) return '';
    const labels = activeElement instanceof HTMLInputElement ? [...(activeElement.labels ?? [])].map((label) => label.textContent) : [];
    const group = activeElement.closest('fieldset')?.querySelector('legend')?.textContent ?? '';
    return [activeElement.getAttribute('aria-label') ?? '', ...labels, activeElement.textContent, group].join(' ').trim();
  });
}

describe('by keyboard alone', () => {
  it('a form is read, traced, answered, changed, completed, and the focus is never lost', async () => {
    const page = await screens.openPage(SIDEBAR);
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    expect(await focusName(page)).toMatch(/oxygen/i); // the heading of the form
    await tabTo(page, /^Read the record again/);
    await page.keyboard.press('Enter');
    await page.getByText(READ).waitFor();
    expect(await focusName(page)).toContain(READ);
    await tabTo(page, /Show where the record says this/);
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    expect(await focusName(page)).toMatch(/Show where the record says this/);
    await tabTo(page, /Arterial oxygen pressure/);
    await page.keyboard.type('57');
    await page.getByText(/Saved at/).waitFor();
    expect(await focusName(page)).toMatch(/Arterial oxygen pressure/);
    await tabTo(page, /^Next missing answer/);
    await page.keyboard.press('Enter');
    expect(await page.evaluate(() => document.activeElement?.closest('.question')?.getAttribute('data-missing'))).toBe('true');
    await page.keyboard.press('Space');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('ArrowUp');
    await page.getByText('No answer is missing').waitFor();
    await page.getByText(/Saved at/).waitFor();
    expect(await page.evaluate(() => document.activeElement?.matches('input[type=radio], input[type=checkbox]'))).toBe(true);
    await tabTo(page, /^Complete and review/);
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'Review what will be sent' }).waitFor();
    expect(await focusName(page)).toMatch(/Review what will be sent/);
    await tabTo(page, /^Send to/);
    await page.keyboard.press('Enter');
    await page.getByText('Approved').first().waitFor();
    expect(await focusName(page)).toMatch(/Decision/);
  });
});

describe('on a bad line', () => {
  it('nothing typed is lost while there is no connection, and it is saved in order once there is', async () => {
    const page = await screens.openPage(SIDEBAR);
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    screens.forgive('ERR_INTERNET_DISCONNECTED');
    const pressure = page.getByLabel(/Arterial oxygen pressure/);
    await pressure.fill('5');
    await page.context().setOffline(true);
    await pressure.press('End');
    await page.keyboard.type('8');
    await page.getByText('Not saved yet: no connection.').waitFor();
    await expectSound(page, 'panel-no-connection');
    await page.keyboard.press('Backspace');
    await page.keyboard.type('9');
    expect(await pressure.inputValue()).toBe('59');
    let warned = false;
    page.on('dialog', (dialog) => { warned = dialog.type() === 'beforeunload'; void dialog.dismiss(); });
    await page.close({ runBeforeUnload: true });
    await expect.poll(() => warned).toBe(true);
    await page.context().setOffline(false);
    await page.getByText(/Saved at/).waitFor();
    await page.reload();
    await page.getByText(READ).waitFor();
    expect(await page.getByLabel(/Arterial oxygen pressure/).inputValue()).toBe('59');
  });

  it('a server that fails, then is slow, then answers into the void: everything is saved in the end', async () => {
    const page = await screens.openPage(SIDEBAR);
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    screens.forgive('500', '409', 'ERR_FAILED');
    const pressure = page.getByLabel(/Arterial oxygen pressure/);
    const SAVE = '**/questionnaires/save';
    await page.route(SAVE, (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{}' }));
    await pressure.fill('51');
    await page.getByText('Not saved yet: the server has a problem.').waitFor();
    await page.unroute(SAVE);
    let sent = 0;
    await page.route(SAVE, async (route) => {
      sent += 1;
      await new Promise((resolve) => setTimeout(resolve, 700));
      if (sent > 1) return route.continue();
      await route.fetch(); // stored, but nobody here hears of it
      return route.abort();
    });
    await pressure.fill('52');
    await page.getByRole('button', { name: 'Save now' }).click();
    await pressure.fill('53');
    await page.getByText('Not saved yet: no connection.').waitFor();
    await page.getByRole('button', { name: 'Save now' }).click();
    await expect.poll(() => sent, { timeout: 15_000 }).toBeGreaterThan(2);
    await page.getByText(/Saved at/).waitFor();
    expect(await page.getByText('Someone else changed').count()).toBe(0);
    await page.unroute(SAVE);
    await page.reload();
    await page.getByText(READ).waitFor();
    expect(await page.getByLabel(/Arterial oxygen pressure/).inputValue()).toBe('53');
  });
});

describe('every state of the form is sound', () => {
  /** axe looks at the narrowest in the light and at the dark one; that nothing is cut off is seen in each. */
  const LOOKS = [
    { look: 'sidebar', viewport: { width: 400, height: 1100 }, colorScheme: 'light' },
    { look: '320px', viewport: { width: 320, height: 1000 }, colorScheme: 'light' },
    { look: 'dark', viewport: { width: 400, height: 800 }, colorScheme: 'dark' },
    { look: 'desk', viewport: { width: 1280, height: 900 }, colorScheme: 'light' },
    { look: 'zoom200', viewport: { width: 640, height: 450 }, colorScheme: 'dark' }, // 1280 x 900 enlarged twice
  ] as const;

  async function expectSoundEverywhere(page: Page, state: string): Promise<void> {
    for (const { look, viewport, colorScheme } of LOOKS) {
      await page.setViewportSize(viewport);
      await page.emulateMedia({ colorScheme });
      await page.locator(`html[data-mantine-color-scheme=${colorScheme}]`).waitFor();
      await page.waitForTimeout(100); // two frames in the new colours
      await (look === '320px' || look === 'dark' ? expectSound : expectFitting)(page, `panel-${state}-${look}`);
    }
  }

  it('empty, filled in, source shown', async () => {
    const page = await screens.openPage(SIDEBAR);
    let letRead = (): void => undefined;
    const seen = new Promise<void>((resolve) => { letRead = resolve; });
    await page.route('**/questionnaires/populate', async (route) => {
      await seen;
      await route.continue();
    });
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText('Reading the record…').first().waitFor();
    await expectSoundEverywhere(page, 'empty');
    letRead();
    await page.getByText(READ).waitFor();
    await expectSoundEverywhere(page, 'filled');
    await page.getByRole('button', { name: /Show where the record says this: Oxygen saturation/ }).click();
    await page.getByText('86 %').first().waitFor();
    await expectSoundEverywhere(page, 'source');
  });

  it('correction asked for, not saved, in Spanish', async () => {
    const page = await screens.openPage(SIDEBAR);
    screens.forgive('503');
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    await page.route('**/questionnaires/save', (route) => route.fulfill({ status: 503, contentType: 'application/json', body: '{}' }));
    await page.getByLabel(/Arterial oxygen pressure/).fill('soon');
    await page.getByText('Enter a number').first().waitFor();
    await page.getByLabel(/Arterial oxygen pressure/).fill('56');
    await page.getByLabel(/Arterial oxygen pressure/).fill('56x');
    await page.getByText('Not saved yet: the server has a problem.').waitFor();
    await expectSoundEverywhere(page, 'error');
    await page.unroute('**/questionnaires/save');
    await page.getByRole('button', { name: 'Save now' }).click();
    await page.getByText(/Saved at/).waitFor();
    await page.getByRole('button', { name: 'Español' }).click();
    await page.getByText('3 respuestas tomadas de la historia clínica.').waitFor();
    expect(await page.locator('html').getAttribute('lang')).toBe('es');
    await expectSoundEverywhere(page, 'spanish');
    await page.getByRole('button', { name: 'English' }).click();
    await page.getByText(READ).waitFor();
  });

  it('an adaptive form, its first questions asked', async () => {
    const page = await screens.openPage(SIDEBAR);
    await openPanelAlone(page, 'Elena Marsh', /72148/);
    await page.getByText('The payer asks a few questions at a time.').waitFor();
    await page.locator('.question').first().waitFor();
    await expectSoundEverywhere(page, 'adaptive');
  });

  it('two people changed the same answer', async () => {
    const page = await screens.openPage(SIDEBAR);
    screens.forgive('409');
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    const other = await page.context().newPage();
    await other.goto(page.url());
    await other.getByText(READ).waitFor();
    await other.getByLabel(/Arterial oxygen pressure/).fill('61');
    await other.getByText(/Saved at/).waitFor();
    await other.close();
    await page.getByLabel(/Arterial oxygen pressure/).fill('62');
    await page.getByText('Someone else changed this form').waitFor();
    await expectSoundEverywhere(page, 'merge');
  });

  it('a very long name fits, and the panel speaks the browser’s language by itself', async () => {
    const page = await screens.openPage({ width: 320, height: 640 }, { locale: 'es-US' });
    await page.goto('/');
    await page.getByText('¿Quién es usted?').waitFor();
    await page.getByRole('button', { name: /Priya Nair/ }).click();
    await page.getByRole('button', { name: /Nørgaard-Papadopoulos/ }).click();
    await page.getByRole('heading', { name: /Nørgaard-Papadopoulos/, level: 1 }).waitFor();
    await expectSound(page, 'ehr-long-name-spanish-320px');
  });
});
