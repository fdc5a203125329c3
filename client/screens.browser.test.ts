import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Page } from 'playwright-core';
import { BrowserScreens, expectSound as expectSoundAs, openChart, openPanel, signIn, signOrder } from '#test-fixtures/browser-screens.ts';

/* Every screen in a real Chromium against the whole system: two stories by mouse and keyboard, axe, no sideways scrolling, at 360 px and 1280 px. */

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 900 } } as const;

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open(); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

const expectSound = (page: Page, name: string, size: keyof typeof SIZES): Promise<void> => expectSoundAs(page, `${name}-${size}`);

describe.each(Object.keys(SIZES) as (keyof typeof SIZES)[])('screens, %s', (size) => {
  it('home oxygen from order to approval, each screen sound', async () => {
    const page = await screens.openPage(SIZES[size]);
    await page.goto('/');
    await page.getByRole('button', { name: /Priya Nair/ }).waitFor();
    await expectSound(page, 'ehr-sign-in', size);
    await signIn(page);
    await expectSound(page, 'ehr-patients', size);
    await openChart(page, 'Okafor');
    await expectSound(page, 'ehr-chart', size);
    await signOrder(page, /E1390/);
    expect(await page.getByText(/Denial risk \d+ % \(simulated\)/).count()).toBeGreaterThan(0);
    await expectSound(page, 'ehr-cards', size);

    const panel = await openPanel(page);
    await panel.getByText('3 answers filled in from the record.').waitFor();
    await panel.getByText('1 answer is missing').first().waitFor();
    await expectSound(page, 'panel-questionnaire', size);
    await panel.getByRole('button', { name: /Show where the record says this: Oxygen saturation/ }).click();
    await panel.getByText('86 %').first().waitFor();
    await expectSound(page, 'panel-source', size);
    await page.keyboard.press('Escape');
    await panel.getByRole('button', { name: 'Next missing answer' }).click();
    await page.keyboard.press('Space'); // focus is on the first choice of the missing answer
    await panel.getByText('No answer is missing').first().waitFor();
    await panel.getByText(/Saved at/).waitFor();
    await panel.getByRole('button', { name: 'Complete and review' }).click();
    await panel.getByRole('heading', { name: 'Review what will be sent' }).waitFor();
    await panel.getByRole('button', { name: /^Send to/ }).waitFor();
    await expectSound(page, 'panel-review', size);
    await panel.getByRole('button', { name: /^Send to/ }).click();
    await panel.getByText('Approved').first().waitFor();
    await expectSound(page, 'panel-decision', size);
  });

  it('a power wheelchair is pended, shown as waiting, then approved; the worklist follows', async () => {
    const page = await screens.openPage(SIZES[size]);
    await signIn(page);
    await openChart(page, 'Delgado');
    await signOrder(page, /K0823/);
    const panel = await openPanel(page);
    await panel.getByText(/answers? (is|are) missing/).first().waitFor();
    for (let gaps = 0; gaps < 6 && (await panel.getByRole('button', { name: 'Next missing answer' }).count()) > 0; gaps += 1) {
      await panel.getByRole('button', { name: 'Next missing answer' }).click();
      await page.keyboard.press('Space');
    }
    await panel.getByRole('button', { name: 'Complete and review' }).click();
    await panel.getByRole('button', { name: /^Send to/ }).click();
    await panel.getByText(/The payer is still deciding|Payer is reviewing/).first().waitFor();
    expect(await panel.getByText(/^Approved/).count()).toBe(0);
    await expectSound(page, 'panel-pended', size);
    await panel.getByText(/^Approved/).first().waitFor({ timeout: 30_000 });

    await page.goto('/work/');
    await page.getByRole('heading', { name: 'Authorization worklist' }).waitFor();
    await page.getByText('Rosa Elena Delgado').first().waitFor();
    await expectSound(page, 'worklist', size);
    await page.getByRole('button', { name: /Open the case of Rosa Elena Delgado/ }).first().click();
    await page.getByText('What happened').waitFor();
    await expectSound(page, 'worklist-case', size);
    await page.keyboard.press('Escape');
    await page.getByRole('searchbox').or(page.getByLabel('Search')).first().fill('nobody of this name');
    await page.getByText('No case fits').waitFor();
    await expectSound(page, 'worklist-nothing-found', size);
  });

  it('an ECG needs nothing and shows no card; a very long name and an empty chart fit', async () => {
    const page = await screens.openPage(SIZES[size]);
    await signIn(page);
    await openChart(page, 'Nørgaard-Papadopoulos');
    await expectSound(page, 'ehr-empty-chart', size);
    await signOrder(page, /93000/);
    expect(await page.getByText(/Denial risk/).count()).toBe(0);
    await page.getByText('No prior authorization is needed', { exact: false }).first().waitFor();
    await expectSound(page, 'ehr-nothing-needed', size);
  });

  it('a signed order that the payer never saw offers to ask, a card takes feedback, closing keeps what was typed last, and the worklist signs out', async () => {
    const page = await screens.openPage(SIZES[size]);
    await signIn(page);
    await openChart(page, 'Okafor');
    const medication = size === 'phone' ? 'Tiotropium inhalation' : 'Albuterol inhalation'; // both sizes run on the same record
    await page.getByRole('button', { name: new RegExp(`Ask the payer\\s*: ${medication}`) }).click();
    await page.getByRole('heading', { name: `Signed: ${medication}` }).waitFor();
    await signOrder(page, /E1390/);
    await page.getByRole('button', { name: /^Useful/ }).first().click();
    await page.getByText('Recorded as useful').waitFor();
    const panel = await openPanel(page);
    await panel.getByText('3 answers filled in from the record.').waitFor();
    await panel.getByLabel(/Arterial oxygen pressure/).fill('57');
    await page.getByRole('button', { name: 'Close the panel' }).click(); // at once: what was typed is kept
    await openPanel(page);
    await panel.getByText('3 answers filled in from the record.').waitFor();
    expect(await panel.getByLabel(/Arterial oxygen pressure/).inputValue()).toBe('57');
    await page.getByRole('button', { name: 'Close the panel' }).click();
    await page.goto('/work/');
    await page.getByText('Signed in as Dr. Priya Nair').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByText('Who are you?').waitFor();
    await expectSound(page, 'oauth-sign-in', size);
  });

  it('a panel without a session says how to go on', async () => {
    const page = await screens.openPage(SIZES[size]);
    await page.goto('/panel/');
    await page.getByText('Open this panel from a chart').waitFor();
    await expectSound(page, 'panel-no-session', size);
    await page.goto('/panel/?s=0193f000-0000-7000-8000-000000000000');
    await page.getByText('This session has ended').waitFor();
    await expectSound(page, 'panel-expired', size);
  });

  it('a launch from a stranger is refused on a page that says what to do', async () => {
    const page = await screens.openPage(SIZES[size]);
    screens.forgive('400');
    const response = await page.goto('/panel/launch?iss=https%3A%2F%2Fstranger.example%2Ffhir&launch=x');
    expect(response?.status()).toBe(400);
    await expectSound(page, 'panel-launch-refused', size);
  });
});
