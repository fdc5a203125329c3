import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadPolicies } from '#policies/load-policies.ts';
import { kindOfCard, newCardId } from '../card-id.ts';
import { cardKinds } from '../card-kinds.ts';
import { type RunningCdsHooks, runCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';

const TOKEN = 'an-admin-token-for-tests';
let service: RunningCdsHooks;
beforeAll(async () => {
  service = await runCdsHooks({ adminToken: TOKEN });
});
afterAll(() => service.stop());

const api = (token?: string) => fetch(`${service.url}/cds-services/admin/feedback`, { headers: token === undefined ? {} : { authorization: `Bearer ${token}` } });
const page = (cookie?: string) => fetch(`${service.url}/admin/cds-feedback`, { headers: cookie === undefined ? {} : { cookie } });
const signIn = async () => {
  const answer = await fetch(`${service.url}/admin/cds-clients/sign-in`, { method: 'POST', redirect: 'manual', body: new URLSearchParams({ token: TOKEN }) });
  return (answer.headers.get('set-cookie') ?? '').split(';')[0] ?? '';
};
const overridden = (card: string, code?: string, userComment?: string) => ({ card, outcome: 'overridden', ...(code || userComment ? { overrideReason: { ...(code ? { reason: { system: 'https://openpriorauth.org/CodeSystem/override-reason', code } } : {}), ...(userComment ? { userComment } : {}) } } : {}), outcomeTimestamp: '2026-11-22T18:00:00Z' });
const accepted = (card: string) => ({ card, outcome: 'accepted', acceptedSuggestions: [{ id: 's' }], outcomeTimestamp: '2026-11-22T18:00:00Z' });

/** The card that the service itself sends for an MRI without an echocardiogram. */
async function sentCard(): Promise<{ readonly uuid: string; readonly overrideReasons: readonly { readonly code: string; readonly display: string }[] }> {
  const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'collection', entry: resources.map((resource) => ({ resource })) });
  const subject = { reference: 'Patient/p1' };
  const reply = await service.post('order-sign-crd', {
    hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea',
    context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle({ resourceType: 'ServiceRequest', id: 's1', status: 'draft', intent: 'order', authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' }, subject, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '75561' }] } }) },
    prefetch: { patient: { resourceType: 'Patient', id: 'p1' }, coverage: bundle({ resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: subject, payor: [{ display: 'Centers for Medicare and Medicaid Services' }] }), conditions: null, observations: null, procedures: null, reports: null, documents: null, medications: null },
  });
  const card = reply.cards.find(({ summary }) => summary.startsWith('An echocardiogram comes before'));
  if (!card) throw new Error('no card');
  return card as unknown as Awaited<ReturnType<typeof sentCard>>;
}

describe('the kind of a card', () => {
  const kinds = cardKinds(loadPolicies()).map(({ kind }) => kind);
  it('is told by its uuid', () => {
    for (const kind of kinds) expect(kindOfCard(newCardId(kind), kinds)).toBe(kind);
    expect(kindOfCard('d1577c69-dfbe-44ad-ba6d-3e05e953b2ea', kinds)).toBeUndefined();
  });
  it('differs for all kinds of the library; the uuid for all cards', () => {
    expect(new Set(kinds.map((kind) => newCardId(kind).slice(-8))).size).toBe(kinds.length);
    expect(new Set(Array.from({ length: 500 }, () => newCardId('denial-risk'))).size).toBe(500);
    expect(newCardId('x')).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });
});

describe('feedback by kind of card', () => {
  it('needs the admin token; without one there is no such page', async () => {
    for (const token of [undefined, 'wrong']) expect((await api(token)).status).toBe(401);
    expect((await page()).status).toBe(401);
    expect(await (await page()).text()).toContain('Admin token');
    expect(await (await page()).text()).toContain('<input type="hidden" name="to" value="/admin/cds-feedback">');
    const without = await runCdsHooks();
    expect((await fetch(`${without.url}/cds-services/admin/feedback`, { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(404);
    expect((await fetch(`${without.url}/admin/cds-feedback`)).status).toBe(404);
    await without.stop();
  });
  it('says so when there is none', async () => {
    expect(await (await page(await signIn())).text()).toContain('No feedback has been reported');
    expect(await (await api(TOKEN)).json()).toEqual({ retentionDays: 90, cards: [] });
  });
  it('counts accepted and overridden cards and why', async () => {
    const { uuid, overrideReasons } = await sentCard();
    expect(overrideReasons).toEqual([expect.objectContaining({ code: 'done-elsewhere', display: 'An echocardiogram was done elsewhere' }), expect.objectContaining({ code: 'not-suitable' })]);
    const risk = newCardId('denial-risk');
    const feedback = [accepted(uuid), overridden(uuid, 'done-elsewhere', 'seen <b>abroad</b>'), overridden(uuid, 'done-elsewhere'), overridden(uuid, 'not-suitable'), overridden(uuid), overridden(risk, 'own-words'), overridden('d1577c69-dfbe-44ad-ba6d-3e05e953b2ea')];
    expect((await service.post('order-sign-crd/feedback', { feedback })).status).toBe(200);
    const { cards } = (await (await api(TOKEN)).json()) as { readonly cards: readonly object[] };
    expect(cards).toMatchObject([
      {
        kind: 'cardiac-mri/echo-first', name: 'Cardiac MRI: An echocardiogram comes before …', type: 'additional-orders', topic: 'guideline', accepted: 1, overridden: 4,
        reasons: [{ display: 'An echocardiogram was done elsewhere', count: 2 }, { display: 'An echocardiogram cannot answer the question', count: 1 }], comments: ['seen <b>abroad</b>'],
      },
      { kind: 'denial-risk', accepted: 0, overridden: 1, reasons: [{ display: 'own-words', count: 1 }] },
      { kind: '', name: 'Other cards', type: 'unknown', overridden: 1 },
    ]);
  });
  it('shows it as a table that can be read aloud, safe against what comments hold', async () => {
    const answer = await page(await signIn());
    const html = await answer.text();
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-security-policy')).toContain("default-src 'none'");
    expect(html).toMatch(/<html lang="en">/);
    expect(html).toMatch(/<caption>/);
    expect(html.match(/<th scope="col" role="columnheader">/g)).toHaveLength(7);
    expect(html).toMatch(/<th scope="row" role="rowheader">Cardiac MRI: An echocardiogram comes before …<\/th><td role="cell" class="words" data-label="Type">additional orders<br>guideline<\/td><td role="cell" class="words" data-label="Accepted">1<\/td><td role="cell" class="words" data-label="Overridden">4<\/td><td role="cell" class="words" data-label="Accepted of all">20 %<\/td>/);
    expect(html).toContain('<li>An echocardiogram was done elsewhere: 2</li>');
    expect(html).toContain('<li>No reason given: 1</li>');
    expect(html).not.toContain('<b>abroad');
  });
});
