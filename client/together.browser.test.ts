import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BrowserScreens, expectSound, openPanelAlone } from '#test-fixtures/browser-screens.ts';

/* Two people at one form, work handed on, the case on paper. */

const OXYGEN = /E1390/;
const READ = '3 answers filled in from the record.';
const WIDTHS = [['narrow', { width: 360, height: 740 }], ['wide', { width: 1280, height: 800 }]] as const;

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open(); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

describe.each(WIDTHS)('%s', (width, viewport) => {
  it('both changed the same answer: each is shown with who and when, one is chosen', async () => {
    const page = await screens.openPage(viewport);
    screens.forgive('409');
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    const other = await page.context().newPage();
    await other.goto(page.url());
    const pressure = (where: typeof page) => where.getByLabel(/Arterial oxygen pressure/).first();
    await pressure(other).fill(width === 'narrow' ? '61' : '63');
    await other.getByText(/Saved at/).waitFor();
    await pressure(page).fill(width === 'narrow' ? '57' : '58');
    await page.getByRole('button', { name: 'Compare and choose' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('Which answer is right?').waitFor();
    await expectSound(page, `merge-${width}`);
    await dialog.getByRole('radio', { name: /^Theirs/ }).focus();
    await page.keyboard.press('Space');
    await dialog.getByRole('button', { name: 'Use these answers' }).click();
    await page.getByText(/Saved at/).waitFor();
    expect(await pressure(page).inputValue()).toBe(width === 'narrow' ? '61' : '63');
  });

  it('the case is handed over, taken over and undone', async () => {
    const page = await screens.openPage(viewport);
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    await page.getByRole('button', { name: 'Hand over…' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('radio').first().check();
    await dialog.getByLabel('Note for the colleague').fill('Please ask the family about the mobility at home.');
    await expectSound(page, `hand-over-${width}`);
    await dialog.getByRole('button', { name: 'Hand over' }).click();
    await page.getByText(/Still missing/).waitFor();
    await expectSound(page, `handed-over-${width}`);
    expect(await page.getByText('did not take the task').count()).toBe(0);
    const panel = page.url();
    await page.goto('/work/');
    await page.getByRole('button', { name: /Handed over/ }).click();
    await page.getByText(/^With /).first().waitFor();
    await expectSound(page, `worklist-handed-over-${width}`);
    await page.goto(panel);
    await page.getByRole('button', { name: 'Take over' }).click();
    await page.getByText(/is working on it/).waitFor();
    await page.getByRole('button', { name: 'Take back' }).click();
    await page.getByRole('button', { name: 'Hand over…' }).waitFor();
  });

  it('the case on paper', async () => {
    const page = await screens.openPage(viewport);
    await openPanelAlone(page, 'Okafor', OXYGEN);
    await page.getByText(READ).waitFor();
    await page.getByRole('button', { name: 'Print or save the packet' }).click();
    await page.getByRole('heading', { name: 'Prior authorization request' }).waitFor();
    await expectSound(page, `packet-${width}`);
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Save as PDF' }).click()]);
    expect(download.suggestedFilename()).toMatch(/^prior-authorization-[0-9a-f-]{36}\.pdf$/);
    await page.emulateMedia({ media: 'print' });
    expect(await page.getByRole('heading', { name: 'Coverage' }).isVisible()).toBe(true);
    expect(await page.getByRole('button', { name: 'Save as PDF' }).isVisible()).toBe(false);
    await expectSound(page, `packet-print-${width}`);
  });
});
