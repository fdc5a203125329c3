import type { Coverage, Patient } from '@medplum/fhirtypes';
import type { Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { fullAccess } from '#sandbox-ehr/fhir/access.ts';
import { FhirRepository } from '#sandbox-ehr/fhir/repository.ts';
import { seedOnce } from '#sandbox-ehr/seed/seed.ts';
import { openTables } from '#sandbox-ehr/tables.ts';
import { openStore } from '#store/database.ts';
import { BrowserScreens, expectFitting, expectSound, openChart, signIn, signOrder } from '#test-fixtures/browser-screens.ts';

/* What the payer answered about an order, on the sandbox EHR's screens: its reasons, its refusals, its suggestions, and where the focus is meanwhile. */

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 900 } } as const;
type Size = keyof typeof SIZES;
const ECHO = 'Order a transthoracic echocardiogram';

const patient = (id: string, family: string, mrn: string): Patient & { id: string } => ({ resourceType: 'Patient', id, active: true, identifier: [{ type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR' }] }, value: mrn }], name: [{ family, given: ['Synthetic'] }], gender: 'female', birthDate: '1960-05-01' });
const strange: Coverage & { id: string } = { resourceType: 'Coverage', id: 'cov-strange', status: 'active', beneficiary: { reference: 'Patient/pat-strange' }, payor: [{ display: 'Nowhere Mutual' }] };

/** Someone insured by nobody we know, and someone without a coverage and with a very long record number. */
async function twoMorePatients(dataDir: string): Promise<void> {
  const store = await openStore({ dataDir });
  const repository = new FhirRepository(store, await openTables(store), 'http://localhost/ehr/fhir', Date.now);
  await seedOnce(repository);
  const resources = [patient('pat-strange', 'Strange', '700001'), strange, patient('pat-bare', 'Bare', '7'.repeat(50))];
  await repository.transaction((inside) => inside.write(resources.map((resource) => ({ kind: 'put' as const, resource })), fullAccess('test')));
  await store.close();
}

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open({ prepare: twoMorePatients }); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

async function chartOf(name: string, size: Size): Promise<Page> {
  const page = await screens.openPage(SIZES[size]);
  await signIn(page);
  await openChart(page, name);
  return page;
}

async function choose(page: Page, order: string, summary: string): Promise<Locator> {
  await page.getByLabel('What to order').selectOption({ label: order });
  const card = page.getByRole('article').filter({ hasText: summary });
  await card.waitFor();
  return card;
}
const chooseMri = (page: Page): Promise<Locator> => choose(page, 'Cardiac MRI without and with contrast (75561)', 'An echocardiogram comes before');

const orders = (page: Page): Locator => page.getByRole('region', { name: /^Orders/ }).locator('.entries > li');
/** Waits, because the focus moves when the answer is there. */
async function expectFocus(page: Page, text: string | RegExp): Promise<void> {
  await expect.poll(() => page.evaluate(() => (document.activeElement === document.body ? 'nothing' : document.activeElement?.textContent))).toMatch(text);
}

async function press(button: Locator): Promise<void> {
  await button.focus();
  await button.press('Enter');
}

describe.each(Object.keys(SIZES) as Size[])('an answer, %s', (size) => {
  it('comes with the reasons that the payer gives', async () => {
    const page = await chartOf('Strange', size);
    await signOrder(page, /E1390/);
    const answer = page.locator('.signed .notice');
    await answer.getByText('Prior authorization may be needed').waitFor();
    expect(await answer.getByRole('listitem').allInnerTexts()).toEqual([expect.stringMatching(/payer/i)]);
    await expectSound(page, `order-reasons-${size}`);
  });

  it('that does not come for want of a coverage says so, and what to do', async () => {
    const page = await chartOf('Bare', size);
    await expectSound(page, `order-long-mrn-${size}`);
    await signOrder(page, /E1390/);
    const told = page.locator('.signed .notice').first();
    expect(await told.innerText()).toMatch(/gave no answer[^]*no active coverage[^]*Check the patient’s coverage/);
    expect(await page.locator('.signed').innerText()).not.toMatch(/could not be asked|status 4|answered in/);
    await expectSound(page, `order-refused-${size}`);
    await page.getByRole('button', { name: /Ask the payer\s*: Oxygen/ }).first().click();
    await expectFocus(page, /^Signed:/);
  });

  it('that never came leaves a draft, which is signed from the list', async () => {
    const page = await chartOf('Becker', size);
    screens.forgive('500');
    const before = await orders(page).count();
    await page.route('**/orders/sign', (route) => route.fulfill({ status: 500, contentType: 'application/json', body: '{}' }));
    await page.getByLabel('What to order').selectOption({ label: 'CPAP device (E0601)' });
    await press(page.getByRole('button', { name: 'Sign order' }));
    await page.getByText('The order is kept below, in the list of orders. Sign it there').waitFor();
    await expectFocus(page, 'Sign order');
    const draft = orders(page).filter({ hasText: 'Draft' });
    await draft.waitFor();
    await expectSound(page, `order-not-signed-${size}`);
    await press(draft.getByRole('button', { name: /^Sign/ }));
    await page.getByText('The server had a problem').nth(1).waitFor();
    await expectFocus(page, /^Sign: CPAP/);
    await page.unroute('**/orders/sign');
    await press(draft.getByRole('button', { name: /^Sign/ }));
    await page.getByRole('heading', { name: 'Signed: CPAP device' }).waitFor();
    expect(await page.getByText('The order is kept below').count()).toBe(0);
    expect(await orders(page).count()).toBe(before + 1);
  });

  it('fits beside and below its long words', async () => {
    const page = await chartOf('Whitfield', size);
    const card = await chooseMri(page);
    for (const { width, height } of [SIZES[size], { width: 320, height: 740 }]) {
      await page.setViewportSize({ width, height });
      await card.getByRole('button', { name: ECHO }).scrollIntoViewIfNeeded();
      await expectFitting(page, `order-cards-${size}-${width}`);
      const [inner, outer] = [await card.getByRole('button', { name: ECHO }).boundingBox(), await card.boundingBox()];
      expect((inner?.x ?? 0) + (inner?.width ?? 0)).toBeLessThan((outer?.x ?? 0) + (outer?.width ?? 0));
    }
  });

  it('makes a suggestion once: taken, it is not offered again, nor is more feedback asked', async () => {
    const page = await chartOf({ phone: 'Kim', desk: 'Adeyemi' }[size], size); // both sizes run on the same record
    const before = await orders(page).count();
    const card = await chooseMri(page);
    await card.getByRole('button', { name: ECHO }).click();
    await card.getByText(`Done: ${ECHO}`).waitFor();
    await expect.poll(() => orders(page).count()).toBe(before + 1);
    expect(await card.getByRole('button').count()).toBe(0);
    await page.getByRole('textbox', { name: /^Quantity/ }).fill('2'); // the payer is asked again
    await page.waitForResponse(/orders\/select/);
    await card.getByText(`Done: ${ECHO}`).waitFor();
    await page.getByRole('button', { name: 'Sign order' }).click();
    await page.getByRole('heading', { name: /^Signed:/ }).waitFor();
    const signed = page.locator('.signed').getByRole('article').filter({ hasText: 'An echocardiogram comes before' });
    await signed.getByText(`Done: ${ECHO}`).waitFor();
    expect(await page.getByRole('button', { name: ECHO }).count()).toBe(0);
    expect(await signed.getByRole('button').count()).toBe(0);
    await signed.scrollIntoViewIfNeeded();
    await expectSound(page, `order-taken-${size}`);
  });
});

it('a suggestion taken in the list of orders is taken beside the answer too', async () => {
  const page = await chartOf('Marsh', 'desk');
  await signOrder(page, /75561/);
  const card = (where: Locator): Locator => where.getByRole('article').filter({ hasText: 'An echocardiogram comes before' });
  const beside = card(page.locator('.signed'));
  await beside.getByRole('button', { name: ECHO }).waitFor();
  await orders(page).getByText('What the payer said').click();
  await press(card(orders(page)).getByRole('button', { name: ECHO }));
  await beside.getByText(`Done: ${ECHO}`).waitFor();
  await expectFocus(page, `Done: ${ECHO}`);
  expect(await beside.getByRole('button').count()).toBe(0);
});

describe('by keyboard', () => {
  it('what replaces a pressed button has the focus', async () => {
    const page = await chartOf('Lindqvist', 'phone');
    screens.forgive('503');
    const card = await chooseMri(page);
    await press(card.getByRole('button', { name: /^Not followed/ }));
    await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe('SELECT');
    await press(card.getByRole('button', { name: 'Cancel' }));
    await expectFocus(page, /^Not followed/);
    await press(card.getByRole('button', { name: /^Useful/ }));
    await expectFocus(page, /Recorded as useful/);
    await page.route('**/suggestions/accept', (route) => route.fulfill({ status: 503, body: '' }));
    await press(card.getByRole('button', { name: ECHO }));
    await card.getByRole('alert').waitFor();
    await expectFocus(page, ECHO);
    await page.unroute('**/suggestions/accept');
    await press(card.getByRole('button', { name: ECHO }));
    await expectFocus(page, `Done: ${ECHO}`);
  });

  it.each([
    ['replaces', 'Nuclear stress test, SPECT, rest and stress (78452)', 'An exercise ECG without imaging', 'Order an exercise ECG instead', /Exercise ECG with supervision/],
    ['changes', 'CPAP device (E0601)', 'The first rental is a trial', 'Change the rental to 3 months', /CPAP device[^]*3 months/],
  ])('what a suggestion %s stands in the list of orders, where the focus is', async (_how, order, summary, label, listed) => {
    const page = await chartOf('Whitfield', 'phone');
    const card = await choose(page, order, summary);
    await press(card.getByRole('button', { name: label }));
    await expectFocus(page, /^Orders/);
    await orders(page).filter({ hasText: listed }).filter({ hasText: 'Draft' }).waitFor();
    expect(await page.getByLabel('What to order').inputValue()).toBe('');
    expect(await card.count()).toBe(0);
  });
});
