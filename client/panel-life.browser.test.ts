import type { Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BrowserScreens, expectFitting, expectSound, openPanelAlone } from '#test-fixtures/browser-screens.ts';

/* What a person chooses before sending, and does after it, in a sidebar. */

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open(); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

async function toReview(page: Page): Promise<void> {
  await openPanelAlone(page, 'Okafor', /E1390/);
  await page.getByText('3 answers filled in from the record.').waitFor();
  await page.getByRole('button', { name: 'Next missing answer' }).click();
  await page.keyboard.press('Space');
  await page.getByText(/Saved at/).waitFor();
  await page.getByRole('button', { name: 'Complete and review' }).click();
  await page.getByRole('heading', { name: 'Review what will be sent' }).waitFor();
}

describe('from the review to a new request', () => {
  it('an entry is left out and another added by keyboard; the request is approved, cancelled after asking twice, and asked for again', async () => {
    const page = await screens.openPage({ width: 320, height: 740 });
    await toReview(page);
    const saturation = page.getByRole('checkbox', { name: /Oxygen saturation/ });
    await saturation.focus();
    await page.keyboard.press('Space');
    await page.getByText('left out', { exact: true }).waitFor();
    expect(await saturation.isChecked()).toBe(false);
    await page.keyboard.press('Space');
    await page.getByText('left out', { exact: true }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Add from the record…' }).click();
    await page.getByLabel('Kind').selectOption({ label: 'Diagnoses and problems' });
    await page.getByLabel('Words').fill('hypox');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Add Hypoxemia' }).press('Enter');
    await page.getByText('Goes with it').waitFor();
    await expectSound(page, 'panel-review-add-320px');
    await page.keyboard.press('Escape');
    expect(await page.getByRole('checkbox', { name: /Hypoxemia/ }).isChecked()).toBe(true);
    await expectSound(page, 'panel-review-chosen-320px');

    await page.getByRole('button', { name: /^Send to/ }).click();
    await page.getByRole('heading', { name: 'Authorization', exact: true }).waitFor();
    await expectSound(page, 'panel-approved-320px');
    await page.getByRole('button', { name: 'Change…' }).click();
    await page.getByRole('button', { name: 'Send the change' }).click();
    await page.getByText('Change something first.').waitFor();
    await expectSound(page, 'panel-change-320px');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Cancel the request' }).click();
    await page.getByRole('button', { name: 'No, leave it as it is' }).click();
    await page.getByRole('button', { name: 'Cancel the request' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the request' }).click();
    await page.getByRole('button', { name: 'New request' }).click();
    await page.getByText('This request takes up one that was cancelled.').waitFor();
    await expectFitting(page, 'panel-asked-again-320px');
  });
});
