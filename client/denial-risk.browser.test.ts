import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { BrowserScreens, expectSound, openPanelAlone } from '#test-fixtures/browser-screens.ts';

let screens: BrowserScreens;
beforeAll(async () => { screens = await BrowserScreens.open(); });
afterAll(() => screens.close());
afterEach(() => screens.closePage());

describe('the denial risk on the panel', () => {
  it('says the estimate, its reasons, what would lower it and whose it is, in both languages, in 360 px', async () => {
    const page = await screens.openPage({ width: 360, height: 900 });
    await openPanelAlone(page, 'Okafor', /E1390/);
    const risk = page.locator('.risk');
    await page.getByText(/denial risk \(simulated\)/).click();
    for (const part of ['What moves the estimate', 'What would lower it', /Model [0-9a-f]{12} \(simulated\)/]) await risk.getByText(part).waitFor();
    expect(await risk.getByRole('listitem').count()).toBeGreaterThan(2);
    await expectSound(page, 'denial-risk-en');
    await page.getByRole('button', { name: 'Español' }).click();
    const line = page.getByText(/Riesgo de denegación .* \(simulado\)/);
    await line.waitFor();
    if (!(await risk.evaluate((details) => (details as HTMLDetailsElement).open))) await line.click();
    for (const part of ['Qué mueve la estimación', 'Qué lo reduciría', /Modelo [0-9a-f]{12} \(simulado\)/]) await risk.getByText(part).waitFor();
    expect(await risk.innerText()).not.toMatch(/\b(the|record|payer|criteria)\b/);
    await risk.scrollIntoViewIfNeeded();
    await expectSound(page, 'denial-risk-es');
  });
});
