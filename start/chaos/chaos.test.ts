import { expect, it } from 'vitest';
import { runChaos } from './run-chaos.ts';

/* A small one of `npm run chaos`, on whichever database the tests run. Mentioned so that it runs on both: openTestStore. */

it('40 cases survive a bad payer and kill -9: none lost, none doubled, all decided', { timeout: 90_000 }, async () => {
  const result = await runChaos({ cases: 40, seed: 20, limitMs: 75_000, serverUrl: process.env['TEST_DATABASE_URL'], lifeMs: [1_200, 2_200], timeoutMs: 1_000, perSecond: 40, progress: () => undefined });
  expect(result.checks.filter(({ violations }) => violations > 0)).toEqual([]);
  expect(result.kills).toBeGreaterThan(1);
  expect(result.arrivals).toBeGreaterThan(40);
});
