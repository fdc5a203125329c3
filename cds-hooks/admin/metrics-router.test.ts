import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Store } from '#store/database.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { type RunningCdsHooks, runCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';
import { openMetricLog } from '../metric-data/metric-log.ts';
import type { CrdMetricData } from '../metric-data/crd-metric-data.ts';

const TOKEN = 'an-admin-token-for-tests';
let store: Store;
let service: RunningCdsHooks;
beforeAll(async () => {
  store = await openTestStore();
  service = await runCdsHooks({ store, adminToken: TOKEN });
});
afterAll(async () => {
  await service.stop();
  await store.close().catch(() => undefined);
});
const exported = (query: string) => fetch(`${service.url}/cds-services/admin/metrics-export?${query}`, { headers: { authorization: `Bearer ${TOKEN}` } });

describe('the export of metrics', () => {
  it('gives lines, also none, for the widest period there is', async () => {
    expect(await (await exported('from=0001-01-01&to=9999-12-31')).text()).toBe('');
    const log = openMetricLog(store, () => Date.parse('2026-11-22T10:00:00Z'), 30);
    for (const requestTime of ['2026-11-22T09:00:00.000Z', '2026-11-22T09:30:00.000Z']) log.record({ requestTime } as CrdMetricData);
    await log.flush();
    for (const query of ['from=0001-01-01&to=9999-12-31', 'from=2026-11-22&to=2026-11-22']) {
      const answer = await exported(query);
      expect([answer.status, answer.headers.get('content-type'), (await answer.text()).trim().split('\n').length]).toEqual([200, 'application/x-ndjson; charset=utf-8', 2]);
    }
  });
  it.each(['from=0000-01-01&to=9999-12-31', 'from=2026-02-30', 'to=soon', 'from=2026-11-23&to=2026-11-22', 'form=2026-11-22', 'from=2026-11-22&from=2026-11-23', 'from=2026-11-22&until=2026-11-23'])('?%s is 400, with words', async (query) => {
    const answer = await exported(query);
    expect([answer.status, (await answer.text()).length > 20]).toEqual([400, true]);
  });
  it('names the parameter that is none', async () => {
    expect(await (await exported('form=2026-11-22')).text()).toBe('there is no parameter "form"; there are from and to\n');
    expect(await (await exported('to=2026-11-22&to=2026-11-23')).text()).toBe('from and to may be given once each\n');
  });
  it('is 503 with words when the store does not answer', async () => {
    await store.close();
    const answer = await exported('from=2026-11-22&to=2026-11-22');
    expect([answer.status, answer.headers.get('retry-after'), await answer.text()]).toEqual([503, '60', 'The figures cannot be read at the moment. Try again in a minute.\n']);
  });
});
