import type { Bundle, CapabilityStatement } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { ANSWERS, claimResponseOf, inquiryBundle, openPayerBench, PAS_BASES, readItem, requestBundle, until } from '#test-fixtures/payer-bench.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';

describe('the payer as a whole', () => {
  it('describes itself, and answers what it does not know with an OperationOutcome', async () => {
    const store = await openTestStore();
    const bench = await openPayerBench({ db: store.db });
    for (const version of ['2.0.1', '2.2.1'] as const) {
      const reply = await fetch(`${bench.baseUrl}${PAS_BASES[version]}/metadata`);
      expect(reply.status).toBe(200);
      const statement = (await reply.json()) as CapabilityStatement;
      expect(openValidator(['pas-2.0.1']).validate(statement).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
      expect(statement.implementation?.url).toBe(`${bench.baseUrl}${PAS_BASES[version]}`);
      expect(statement.implementationGuide?.[0]).toMatch(new RegExp(`davinci-pas\\|${version}$`));
      expect(statement.rest?.[0]?.operation?.map(({ name }) => name)).toEqual(['submit-attachment']);
      expect(await (await fetch(`${bench.baseUrl}${PAS_BASES[version]}/.well-known/smart-configuration`)).json()).toMatchObject({ token_endpoint: `${bench.baseUrl}/payer/oauth/token` });
      for (const base of ['', PAS_BASES[version]]) {
        expect(await (await fetch(`${bench.baseUrl}${base}/.well-known/davinci-configuration`)).json()).toMatchObject({
          endpoints: { 'davinci_pas_submission_endpoint#2.0': `${bench.baseUrl}/payer/fhir`, 'davinci_pas_submission_endpoint#2.2': `${bench.baseUrl}/payer/pas-2.2.1/fhir` },
        });
      }
    }
    for (const [method, path] of [['GET', '/payer/fhir/Patient/1'], ['GET', '/payer'], ['GET', '/payer/fhir/Claim/$submit'], ['DELETE', '/payer/fhir/metadata'], ['POST', '/payer/fhir/Claim']] as const) {
      const unknown = await fetch(`${bench.baseUrl}${path}`, { method });
      expect([path, unknown.status]).toEqual([path, 404]);
      expect(await unknown.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'not-found' }] });
    }
    await bench.close();
    await store.close();
  });

  it('decides after a restart what was pended before it, once, with two payers running', async () => {
    const store = await openTestStore();
    const before = await openPayerBench({ db: store.db, reviewDelayMs: 400 });
    const requests = Array.from({ length: 6 }, (_, i) => requestBundle({ code: 'K0823', answers: [ANSWERS.assessment(true)], memberId: `M-${i}` }));
    for (const request of requests) await before.submit(request);
    await before.close();
    const after = await Promise.all([openPayerBench({ db: store.db, reviewDelayMs: 400 }), openPayerBench({ db: store.db, reviewDelayMs: 400 })]);
    const [bench] = after;
    await until('all are decided', async () => (await bench.db.selectFrom('payer.authorization_item').select('id').where('state', '=', 'pended').execute()).length === 0);
    const decided = await bench.db.selectFrom('payer.audit_event').select('id').where('action', '=', 'item-decided').execute();
    expect(decided).toHaveLength(requests.length);
    const found = (await (await bench.inquire(inquiryBundle({}, 'M-3'))).json()) as Bundle;
    expect(readItem(claimResponseOf(found).item?.[0]).code).toBe('A1');
    for (const one of after) await one.close();
    await store.close();
  });

  it('says nothing of its inside when it fails', async () => {
    const store = await openTestStore();
    const bench = await openPayerBench({ db: store.db, started: false });
    await bench.submit(requestBundle());
    await store.close();
    const reply = await bench.submit(requestBundle());
    expect(reply.status).toBe(500);
    const text = await reply.text();
    expect(JSON.parse(text)).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ code: 'exception' }] });
    expect(text).not.toMatch(/ at |payer\.|select/i);
    await bench.close();
  });

  it('keeps an AuditEvent of every step, without the patient', async () => {
    const store = await openTestStore();
    const bench = await openPayerBench({ db: store.db });
    await bench.submit(requestBundle());
    await bench.submit({ resourceType: 'Bundle' });
    await bench.inquire(inquiryBundle());
    const rows = await bench.db.selectFrom('payer.audit_event').select(['action', 'resource']).orderBy('recorded').execute();
    expect(rows.map(({ action }) => action)).toEqual(['token-issued', 'claim-submitted', 'claim-refused', 'claim-inquired']);
    for (const { resource } of rows) expect(resource).toMatchObject({ resourceType: 'AuditEvent', agent: [{ requestor: true }] });
    expect(JSON.stringify(rows)).not.toMatch(/Okoro|M100|1951-/);
    await bench.close();
    await store.close();
  });
});
