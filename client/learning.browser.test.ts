import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { modelFile } from '#models/model-file.ts';
import { shippedModel } from '#models/serve/shipped-model.ts';
import { openMonitoring } from '#server/learning/monitoring.ts';
import { CASE_MIGRATIONS, LEARNING_MIGRATIONS } from '#server/store/migrations.ts';
import { openAuditTrail } from '#store/audit.ts';
import { openStore } from '#store/database.ts';
import { migratePart } from '#store/migrate.ts';
import { BrowserScreens, expectSound } from '#test-fixtures/browser-screens.ts';
import { monitoredDecisions, recordMonitored } from '#test-fixtures/monitored-decisions.ts';

/* The page of models and monitoring in a real Chromium against the whole system, with four simulated months on record and drift in the last. */

const SIZES = { phone: { width: 360, height: 740 }, desk: { width: 1280, height: 900 } } as const;
const TOKEN = 'operator-of-this-test';
const DAY = 86_400_000;

async function fourMonths(dataDir: string): Promise<void> {
  const end = Date.now();
  let clock = end;
  const store = await openStore({ dataDir });
  await migratePart(store, 'cases', CASE_MIGRATIONS);
  await migratePart(store, 'learning', LEARNING_MIGRATIONS);
  const audit = await openAuditTrail(store, () => clock, (error) => expect.fail(String(error)));
  const file = modelFile.parse(JSON.parse((await shippedModel()).json));
  const monitoring = await openMonitoring({ store, audit, log: pino({ level: 'silent' }), now: () => clock, liveModel: async () => ({ file }) });
  await recordMonitored(store, monitoring.scores, file.version, monitoredDecisions(file, 6_000, 3, { from: end - 360 * DAY, days: 359, drifts: [{ kind: 'older-evidence', from: end - 25 * DAY, factor: 3 }], untold: 4_000 }));
  for (let day = 80; day > 0; day -= 16) {
    clock = end - day * DAY;
    await monitoring.check('denial-risk');
  }
  await monitoring.stop();
  await audit.stop();
  await store.close();
}

let screens: BrowserScreens;
let empty: BrowserScreens;
beforeAll(async () => {
  screens = await BrowserScreens.open({ environment: { ADMIN_TOKEN: TOKEN }, prepare: fourMonths });
  empty = await BrowserScreens.open({ environment: { ADMIN_TOKEN: TOKEN } });
}, 90_000);
afterAll(() => Promise.all([screens.close(), empty.close()]));
afterEach(() => Promise.all([screens.closePage(), empty.closePage()]));

describe.each(Object.keys(SIZES) as (keyof typeof SIZES)[])('models and monitoring, %s', (size) => {
  it('a wrong token is refused, then everything is shown, an alert is acknowledged and a limit changed', async () => {
    const page = await screens.openPage(SIZES[size]);
    await page.goto('/learning/');
    await page.getByLabel('Token').fill('wrong');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByText('This token is not known.').waitFor();
    await expectSound(page, `learning-sign-in-${size}`);
    await page.getByLabel('Token').fill(TOKEN);
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('heading', { name: 'Input drift' }).waitFor();
    for (const title of ['Alerts', 'Models', 'The last days', 'Calibration', 'Subgroups', 'History', 'Retrainings', 'Limits', 'Changes of stage']) expect(await page.getByRole('heading', { name: title, exact: true }).count()).toBe(1);
    expect(await page.getByText(/\(simulated\)/).count()).toBeGreaterThan(20);
    for (const closed of await page.locator('details').all()) await closed.evaluate((details: HTMLDetailsElement) => { details.open = true; });
    await expectSound(page, `learning-${size}`);
    await page.screenshot({ path: `dist/pictures/learning-whole-${size}.png`, fullPage: true });

    const alert = page.getByRole('listitem').filter({ hasText: 'Input drift: Age of the newest evidence' }).first();
    if (size === 'phone') {
      await alert.getByRole('button', { name: /^Acknowledge/ }).click();
      await page.getByLabel('Note').fill('Asked the laboratory');
      await expectSound(page, `learning-acknowledge-${size}`);
      await page.getByRole('dialog').getByRole('button', { name: 'Acknowledge' }).click();
    }
    await alert.getByText(/Asked the laboratory/).waitFor();
    await page.getByRole('button', { name: 'Change: Drift of decisions' }).click();
    await page.getByLabel('New limit').fill(size === 'phone' ? '0.15' : '0.12');
    await page.getByRole('dialog').getByLabel('Why').fill('Few decisions here');
    await page.getByRole('dialog').getByRole('button', { name: 'Change' }).click();
    await page.getByText(/changed by admin/).waitFor();
    await page.getByRole('button', { name: /^Roll back to the model/ }).click();
    await page.getByRole('dialog').getByLabel('Why').fill('To see it refused');
    screens.forgive('409');
    await page.getByRole('dialog').getByRole('button', { name: 'Roll back' }).click();
    await page.getByText('No model was live before this one.').waitFor();
    await expectSound(page, `learning-rollback-refused-${size}`);
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Token').waitFor();
  });
});

describe('models and monitoring, without figures', () => {
  it('says in Spanish what is not there yet, and what to do when the server fails', async () => {
    const page = await empty.openPage(SIZES.phone, { locale: 'es-US' });
    await page.goto('/learning/');
    await page.getByLabel('Clave').fill(TOKEN);
    await page.getByRole('button', { name: 'Iniciar sesión' }).click();
    await page.getByText('No se puntuó ningún caso en este periodo.').waitFor();
    await page.getByText('Nada supera su límite.').waitFor();
    await expectSound(page, 'learning-empty-es-phone');
    await page.getByRole('button', { name: 'Apelaciones' }).click();
    await page.getByText('Las puntuaciones de este modelo no se registran.').or(page.getByText('No hay ningún modelo de este tipo en servicio.')).waitFor();
    await expectSound(page, 'learning-appeal-es-phone');
    empty.forgive('503');
    await page.route('**/learning/api/models', (route) => route.fulfill({ status: 503 }));
    await page.getByRole('button', { name: 'Cargar de nuevo' }).click();
    await page.getByRole('alert').waitFor();
    await expectSound(page, 'learning-failed-es-phone');
  });
});
