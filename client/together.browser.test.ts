import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BrowserScreens, expectFitting, expectSound, openPanelAlone } from '#test-fixtures/browser-screens.ts';

/* Two people at one form, work handed on, the case on paper. */

const OXYGEN = /E1390/;
const READ = '3 answers filled in from the record.';
const NARROW = { width: 360, height: 740 };
const WIDE = { width: 1280, height: 800 };

/** Sound in a sidebar; a picture of a desk's width too. */
async function expectSoundAndShow(page: Page, name: string): Promise<void> {
  await expectSound(page, `${name}-narrow`);
  await page.setViewportSize(WIDE);
  await expectFitting(page, `${name}-wide`);
  await page.setViewportSize(NARROW);
}

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open(); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

describe('people at one case', () => {
  it('both changed the same answer: each is shown with who and when, one is chosen', async () => {
    const page = await screens.openPage(NARROW);
    screens.forgive('409');
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    const other = await page.context().newPage();
    await other.goto(page.url());
    const pressure = (where: Page) => where.getByLabel(/Arterial oxygen pressure/).first();
    await pressure(other).fill('61');
    await other.getByText(/Saved at/).waitFor();
    await pressure(page).fill('57');
    await page.getByRole('button', { name: 'Compare and choose' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Which answer is right?').waitFor();
    await expectSoundAndShow(page, 'merge');
    await dialog.getByRole('radio', { name: /^Theirs/ }).focus();
    await page.keyboard.press('Space');
    await dialog.getByRole('button', { name: 'Use these answers' }).click();
    await page.getByText(/Saved at/).waitFor();
    expect(await pressure(page).inputValue()).toBe('61');
  });

  it('the case is handed over, taken over and undone', async () => {
    const page = await screens.openPage(NARROW);
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    await page.getByRole('button', { name: 'Hand over…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio').first().check();
    await dialog.getByLabel('Note for the colleague').fill('Please ask the family about the mobility at home.');
    await expectSoundAndShow(page, 'hand-over');
    await dialog.getByRole('button', { name: 'Hand over' }).click();
    await page.getByText(/Still missing/).waitFor();
    await expectSoundAndShow(page, 'handed-over');
    expect(await page.getByText('did not take the task').count()).toBe(0);
    const panel = page.url();
    await page.goto('/work/');
    await page.getByRole('button', { name: /Handed over/ }).click();
    await page.getByText(/^With /).first().waitFor();
    await expectSoundAndShow(page, 'worklist-handed-over');
    await page.goto(panel);
    await page.getByRole('button', { name: 'Take over' }).click();
    await page.getByText(/is working on it/).waitFor();
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('button', { name: 'Hand over…' }).waitFor();
  });

  it('the case on paper', async () => {
    const page = await screens.openPage(NARROW);
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    await page.getByRole('button', { name: 'Print or save the packet' }).click();
    await page.getByRole('dialog').getByRole('heading', { name: 'Prior authorization request' }).waitFor();
    await expectSoundAndShow(page, 'packet');
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as PDF' }).click()]);
    expect(download.suggestedFilename()).toMatch(/^prior-authorization-[0-9a-f-]{36}\.pdf$/);
    await page.emulateMedia({ media: 'print' });
    expect(await page.locator('.packet-print').getByRole('heading', { name: 'Coverage' }).isVisible()).toBe(true);
    expect(await page.getByRole('button', { name: 'Save as PDF' }).isVisible()).toBe(false);
    await expectFitting(page, 'packet-print');
  });
});
