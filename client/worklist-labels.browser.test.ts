import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BrowserScreens, expectSound, signIn } from '#test-fixtures/browser-screens.ts';

/* What staff say of a decision, in a real Chromium against the whole system. */

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open(); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

describe('after the decision', () => {
  it('an appeal and a reviewer’s word are recorded, shown with who and why, and stand in the timeline', async () => {
    const page = await screens.openPage({ width: 1280, height: 900 });
    await signIn(page);
    await promisify(execFile)(process.execPath, [join(import.meta.dirname, '..', 'walkthrough', 'main.ts'), '--story', 'mri-denied', '--base', new URL(page.url()).origin]);
    await page.goto('/work/');
    await page.getByRole('button', { name: /Open the case of/ }).first().click();
    await page.getByText('After the decision: appeal, and what is learned').click();
    await page.getByText(/payer’s decision, denied \(simulated\)/).waitFor();
    await page.getByText('learned from', { exact: false }).last().scrollIntoViewIfNeeded();
    await expectSound(page, 'worklist-labels-desk');

    await page.getByLabel('Result of the appeal').selectOption({ label: 'denial overturned' });
    await page.getByLabel('Decided on').fill(new Date().toISOString().slice(0, 10));
    await page.getByLabel('Why, in your words').fill('The echocardiogram was in the chart.');
    await page.getByRole('button', { name: 'Record it' }).click();
    await page.getByText(/appeal, denial overturned/).waitFor();

    await page.setViewportSize({ width: 360, height: 740 });
    await page.getByLabel('What do you record?').selectOption({ label: 'What the decision should teach' });
    await page.getByLabel('It should count as').selectOption({ label: 'not to be learned from' });
    await page.getByLabel('Why, in your words').fill('Denied as a duplicate.');
    await page.getByRole('button', { name: 'Record it' }).click();
    await page.getByText(/reviewer, not to be learned from/).waitFor();
    await page.getByText(/reviewer, not to be learned from/).scrollIntoViewIfNeeded();
    await expectSound(page, 'worklist-labels-phone');
    await page.getByText('A reviewer’s word on the decision recorded').waitFor();
    expect(await page.getByText('Result of an appeal recorded').count()).toBe(1);
  });
});
