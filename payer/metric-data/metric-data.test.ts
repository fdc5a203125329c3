import type { Bundle } from '@medplum/fhirtypes';
import { expect, it } from 'vitest';
import type { PasMetricData } from '#fhir/pas/metric-data.ts';
import { ANSWERS, attachmentParameters, claimResponseOf, inquiryBundle, openPayerBench, requestBundle, updateBundle } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

it('one record for each request, with its updates, asks and decisions, and nothing of the patient', async () => {
  const store = await openTestStore();
  const bench = await openPayerBench({ db: store.db, started: false, reviewerToken: 'reviewer-token-of-the-test' });
  const request = requestBundle({ more: ['K0823'], answers: [ANSWERS.saturation(86), ANSWERS.assessment(true)] });
  const answer = claimResponseOf((await (await bench.submit(request)).json()) as Bundle);
  await bench.submit(request);
  await bench.inquire(inquiryBundle());
  const { items } = (await (await bench.review('GET', '')).json()) as { items: { id: string; caseId: string }[] };
  const pended = items.find(({ caseId }) => caseId === answer.id);
  const reviewer = { name: 'Dana Reyes, RN' };
  const asked = (await (await bench.review('POST', `/${pended?.id}/ask`, { kind: 'attachment', codes: [{ system: 'http://loinc.org', code: '11506-3' }], reviewer })).json()) as { controlNumber: string };
  await bench.attach(attachmentParameters(asked.controlNumber, [{ resourceType: 'DocumentReference', status: 'current', content: [{ attachment: { contentType: 'text/plain', data: 'eA==' } }] }]));
  await bench.review('POST', `/${pended?.id}/decision`, { decision: 'deny', reason: 'The record of Okoro does not support it.', reasonCodes: ['35'], reviewer });
  await bench.submit(updateBundle(request, '2.0.1', { cancel: [1] }));
  await bench.submit(updateBundle(requestBundle(), '2.0.1', { cancel: [1] }));
  await bench.submit({ resourceType: 'Bundle' });

  const read = async (query: string) => fetch(`${bench.baseUrl}/payer/review/pas-metrics${query}`, { headers: { Authorization: 'Bearer reviewer-token-of-the-test' } });
  const text = await (await read('')).text();
  expect(text).not.toMatch(/Okoro|M100|1951-/);
  const records = text.trim().split('\n').map((line) => JSON.parse(line) as PasMetricData);
  expect(records).toHaveLength(1);
  expect(records[0]).toMatchObject({
    source: 'payer-src',
    providerId: { value: '1740250000' },
    groupId: { value: '1245319599' },
    payerId: { value: 'cascade-medicare' },
    exchange: ['initial', 'subsequent', 'query', 'initialDocToPayer', 'update'].map((type) => ({ type, with: 'provider', method: 'restful', httpResponse: '200' })),
    itemDetail: [
      { trn: 1, result: 'cancelled', responsesRequired: 2 },
      { trn: 2, result: 'denied', denialReason: '35', locationType: 'home' },
    ],
    requestedDoc: [{ docRequest: [{ coding: [{ code: '11506-3' }] }], submissionMethod: 'CDex' }],
    review: { priority: 'expedited', approvedAfterAppeal: false },
  });
  const refused = await bench.db.selectFrom('payer.pas_exchange').select(['type', 'http_response', 'aaa_codes']).where((row) => row.or([row('http_response', '<>', 200), row('aaa_codes', '<>', '[]')])).orderBy('http_response').execute();
  expect(refused).toEqual([{ type: 'cancel', http_response: 200, aaa_codes: '["AA"]' }, { type: 'initial', http_response: 422, aaa_codes: '[]' }]);
  expect(await (await read('?from=2020-01-01&to=2020-01-31')).text()).toBe('');
  expect((await read('?from=yesterday')).status).toBe(400);
  expect((await fetch(`${bench.baseUrl}/payer/review/pas-metrics`)).status).toBe(401);
  await bench.close();
  await store.close();
});
