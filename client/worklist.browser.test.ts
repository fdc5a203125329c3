import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BrowserScreens, expectSound, openChart, openPanel, signIn, signOrder } from '#test-fixtures/browser-screens.ts';

/* The staff's worklist in a real Chromium against the whole system. */

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 900 } } as const;

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open(); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

describe('the worklist', () => {
  it('by keyboard on a desk: select, next touch, undo, note and call, by hand with a decision, a view, the file; a second reader sees it', async () => {
    const page = await screens.openPage(SIZES.desk);
    await signIn(page);
    for (const [patient, item] of [['Okafor', /E1390/], ['Nørgaard-Papadopoulos', /K0823/]] as const) {
      const chart = await page.context().newPage();
      await chart.goto('/');
      await openChart(chart, patient);
      await signOrder(chart, item);
      await openPanel(chart);
      await chart.close();
    }
    page.setDefaultTimeout(8_000);
    await page.goto('/work/');
    await page.getByText('Changes appear by themselves').waitFor();
    await page.keyboard.press('?');
    await page.getByRole('heading', { name: 'Keyboard' }).waitFor();
    await expectSound(page, 'worklist-keyboard-desk');
    await page.keyboard.press('Escape');
    await page.keyboard.press('j');
    await page.keyboard.press('x');
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('x');
    await page.getByText('2 cases selected').waitFor();
    await expectSound(page, 'worklist-selected-desk');

    const other = await page.context().newPage();
    await other.setViewportSize(SIZES.phone);
    await other.goto('/work/');
    await other.getByRole('button', { name: /Open the case of/ }).first().waitFor();
    await expectSound(other, 'worklist-cases-phone');
    await page.bringToFront();
    await page.getByRole('button', { name: 'Set next touch' }).click();
    await page.getByText('Done for 2 cases.').waitFor();
    await page.getByRole('button', { name: 'Hold' }).click();
    await page.getByText(/Not possible for 2 cases/).waitFor();
    await expectSound(page, 'worklist-refused-desk');
    await page.getByRole('button', { name: 'Handle by hand' }).click();
    await page.getByText('Done for 2 cases.').waitFor();
    await page.getByRole('button', { name: 'Undo' }).click();
    await page.getByText('Taken back for 2 cases.').waitFor();
    await page.getByRole('button', { name: 'Clear the selection' }).click();

    await page.keyboard.press('j');
    await page.keyboard.press('Enter');
    await page.getByRole('heading', { name: 'What happened' }).waitFor();
    await page.getByRole('radio', { name: 'Call' }).check();
    await page.getByLabel('With whom').fill('Ms. Ortiz, utilization management');
    await page.getByLabel('Outcome').fill('In review until Friday');
    await page.getByLabel('Reference number').fill('C-99');
    await page.getByRole('button', { name: 'Add' }).click();
    await page.getByText('with Ms. Ortiz, utilization management').waitFor();
    await page.getByRole('dialog').getByRole('button', { name: 'Handle by hand' }).click();
    await page.getByText('Enter the payer’s decision').click();
    await page.getByLabel('Authorization number').fill('FAX-2026-1');
    await page.getByLabel('Valid until').fill('2026-12-10');
    await expectSound(page, 'worklist-by-hand-desk');
    await page.getByRole('button', { name: 'Save the decision' }).click();
    await page.getByRole('heading', { name: /^Approved/ }).waitFor();
    expect(await page.getByText(/Call logged/).count()).toBe(1);
    await expectSound(page, 'worklist-case-desk');
    await page.keyboard.press('Escape');

    await page.getByText('Saved views').click();
    await page.getByLabel('Save the filters as').fill('Everything');
    await page.getByRole('button', { name: 'Save' }).click();
    await page.getByText('Saved views (1)').waitFor();
    const file = page.waitForEvent('download');
    await page.getByRole('button', { name: 'Download as CSV' }).click();
    expect((await file).suggestedFilename()).toBe('worklist.csv');
    await page.getByText('More filters').click();
    await expectSound(page, 'worklist-filters-desk');

    await other.bringToFront();
    await other.getByText('Approved', { exact: true }).first().waitFor();
    await other.getByRole('button', { name: 'Authorizations' }).click();
    await other.getByText('FAX-2026-1').waitFor();
    await expectSound(other, 'worklist-register-phone');
    await other.getByRole('button', { name: /Open the case of/ }).first().click();
    await other.getByRole('heading', { name: 'What happened' }).waitFor();
    await expectSound(other, 'worklist-case-phone');
  });

  it('says in Spanish that nothing fits, and goes on when live changes are refused', async () => {
    const page = await screens.openPage(SIZES.phone, { locale: 'es-US' });
    screens.forgive('503');
    await page.route('**/work/api/events', (route) => route.fulfill({ status: 503 }));
    await page.goto('/');
    await page.getByRole('button', { name: /Priya Nair/ }).click();
    await page.getByRole('heading', { name: 'Pacientes' }).waitFor();
    await page.goto('/work/');
    await page.getByText('Se pregunta cada 10 segundos').waitFor();
    await page.getByRole('searchbox').fill('nadie se llama así');
    await page.getByText('Ningún caso coincide').waitFor();
    await expectSound(page, 'worklist-nothing-es-phone');
  });
});
