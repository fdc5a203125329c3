import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import { createPayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import { loadPayers } from '#policies/load-payers.ts';
import { openStore, type Store } from '#store/database.ts';
import { type HookReply, runCdsHooks, type RunningCdsHooks } from '../../test-fixtures/running-cds-hooks.ts';
import type { CrdVersion, Hook } from '../hook-call.ts';

/* What two payers' own services are sent of one call, and what becomes of their answers. Each is a real server; Evergreen speaks 2.0.1, Medicare's 2.2. */

interface Sent {
  readonly context: Readonly<Record<string, unknown>> & { readonly order?: string; readonly dispatchedOrders?: readonly string[]; readonly appointments?: Bundled; readonly draftOrders?: Bundled; readonly selections?: readonly string[] };
  readonly prefetch: Readonly<Record<string, Bundled & Readonly<Record<string, unknown>>>>;
  readonly extension?: Readonly<Record<string, unknown>>;
}
interface Bundled {
  readonly entry?: readonly { readonly resource: { readonly resourceType: string; readonly id: string } }[];
}
interface OwnService {
  readonly base: string;
  readonly sent: Sent[];
  /** Resources to answer on, with coverage-information under that coverage. */
  answersOn: (sent: Sent) => readonly object[];
  cards: readonly object[];
  prefetch: Readonly<Record<string, string>>;
  close(): void;
}

async function startOwnService(version: CrdVersion, coverage: string): Promise<OwnService> {
  const service: { -readonly [K in keyof OwnService]: OwnService[K] } = { base: '', sent: [], answersOn: () => [], cards: [], prefetch: {}, close: () => undefined };
  const server: Server = createServer((request, response) => {
    response.setHeader('content-type', 'application/json');
    if (request.method === 'GET') return void response.end(JSON.stringify({ services: (['order-sign', 'order-select', 'order-dispatch', 'appointment-book'] satisfies Hook[]).map((hook) => ({ hook, id: hook, description: 'x', prefetch: service.prefetch, extension: { 'davinci-crd.version': [version] } })) }));
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk)).on('end', () => {
      const body = JSON.parse(Buffer.concat(chunks).toString()) as Sent;
      service.sent.push(body);
      const systemActions = service.answersOn(body).map((resource) => ({ type: 'update', description: 'x', resource: { ...resource, extension: [answer(coverage, `${version}-${service.sent.length}`)] } }));
      response.end(JSON.stringify({ cards: service.cards, systemActions }).replace('"NESTED"', `${'['.repeat(20_000)}${']'.repeat(20_000)}`));
    });
  });
  await new Promise<void>((ready) => server.listen(0, '127.0.0.1', ready));
  service.base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  service.close = () => {
    server.closeAllConnections();
    server.close();
  };
  return service;
}

const answer = (coverage: string, assertion: string) => ({
  url: CRD_URLS.coverageInformation,
  extension: [{ url: 'coverage', valueReference: { reference: coverage } }, { url: 'covered', valueCode: 'covered' }, { url: 'pa-needed', valueCode: 'auth-needed' }, { url: 'date', valueDate: '2026-11-22' }, { url: 'coverage-assertion-id', valueString: assertion }],
});
const cpt = (code: string) => ({ coding: [{ system: 'http://www.ama-assn.org/go/cpt', code }] });
const order = (id: string, coverage: string, more: object = {}) => ({ resourceType: 'ServiceRequest', id, status: 'draft', intent: 'order', code: cpt('93000'), subject: { reference: 'Patient/p1' }, requester: { reference: 'Practitioner/u1' }, authoredOn: '2026-11-22', insurance: [{ reference: coverage }], ...more });
const appointment = (id: string, ...bases: readonly string[]) => ({ resourceType: 'Appointment', id, status: 'proposed', serviceType: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/service-type', code: '124' }] }], start: '2026-12-01T09:00:00Z', end: '2026-12-01T10:00:00Z', basedOn: bases.map((reference) => ({ reference })), requestedPeriod: [{ start: '2026-12-01', end: '2026-12-02' }], participant: [{ actor: { reference: 'Patient/p1' }, status: 'accepted' }, { type: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'PPRF' }] }], actor: { reference: 'Practitioner/u1' }, status: 'accepted' }] });
const coverage = (id: string, payor: string) => ({ resourceType: 'Coverage', id, status: 'active', beneficiary: { reference: 'Patient/p1' }, payor: [{ display: payor }] });
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'searchset', total: resources.length, link: [{ relation: 'self', url: 'https://ehr.example/fhir' }], entry: resources.map((resource) => ({ fullUrl: 'https://ehr.example/fhir/x', resource })) });
const MEDICARE = 'Coverage/m';
const EVERGREEN = 'Coverage/e';

let medicare: OwnService;
let evergreen: OwnService;
let store: Store;
let service: RunningCdsHooks;
beforeAll(async () => {
  store = await openStore({ dataDir: 'memory' });
  [medicare, evergreen] = await Promise.all([startOwnService('2.2', MEDICARE), startOwnService('2.0', EVERGREEN)]);
});
afterAll(async () => {
  await store.close();
  medicare.close();
  evergreen.close();
});
// A new one for each test: what a payer's discovery says is believed for an hour.
beforeEach(async () => {
  for (const payer of [medicare, evergreen]) Object.assign(payer, { answersOn: () => [], cards: [], prefetch: {} }).sent.length = 0;
  const own = { 'cascade-medicare': { baseUrl: medicare.base, version: '2.2', timeoutMs: 2_000 }, 'evergreen-health': { baseUrl: evergreen.base, version: '2.0', timeoutMs: 2_000 } } as const;
  const payers = createPayerDirectory(loadPayers('http://localhost').payers.map((each) => (each.id in own ? { ...each, crd: own[each.id as keyof typeof own] } : each)));
  service = await runCdsHooks({ store, payers, deadlineMs: 3_000 });
});
afterEach(() => service.stop());

function ask(hook: Hook, context: object, { version = '2.2', prefetch = {}, configuration }: { readonly version?: CrdVersion; readonly prefetch?: object; readonly configuration?: object } = {}): Promise<HookReply> {
  return service.post(`${hook}-crd`, {
    hook, hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', fhirServer: service.ehrBase, fhirAuthorization: { access_token: 't', token_type: 'Bearer', expires_in: 30, scope: 'patient/*.rs', subject: 'x' },
    context: { patientId: 'p1', userId: 'Practitioner/u1', ...context },
    prefetch: { patient: { resourceType: 'Patient', id: 'p1' }, coverage: bundle(coverage('m', 'Medicare'), coverage('e', 'Evergreen Health Plan')), conditions: null, observations: null, procedures: null, reports: null, documents: null, medicationHistory: null, ...prefetch },
    extension: { 'davinci-crd.requestedVersion': version, ...(configuration ? { 'davinci-crd.configuration': configuration } : {}) },
  });
}
const dispatch = (...orders: readonly { readonly id: string }[]): [Hook, object, object] => ['order-dispatch', { performer: 'Organization/o1', dispatchedOrders: orders.map(({ id }) => `ServiceRequest/${id}`) }, { orders: bundle(...orders) }];
const answers = (reply: HookReply) => Object.fromEntries(reply.systemActions.map(({ resource }) => [`${resource.resourceType}/${resource.id}`, readRequirement(resource as Parameters<typeof readRequirement>[0])[0]?.assertionId]));
const idsIn = (bundled: Bundled | undefined) => bundled?.entry?.map(({ resource }) => resource.id);

describe('a payer is sent nothing of what is for another', () => {
  const [forMedicare, forEvergreen] = [order('sm', MEDICARE), order('se', EVERGREEN, { note: [{ text: 'x' }] })];
  it('order-dispatch: its order is its own, in the context and in the prefetch', async () => {
    evergreen.prefetch = { order: '{{context.order}}' };
    const [hook, context, prefetch] = dispatch(forMedicare, forEvergreen);
    await ask(hook, context, { prefetch });
    expect(medicare.sent.map(({ context: { dispatchedOrders } }) => dispatchedOrders)).toEqual([['ServiceRequest/sm']]);
    expect(evergreen.sent.map(({ context: of, prefetch: had }) => [of.order, had['order']?.['id']])).toEqual([['ServiceRequest/se', 'se']]);
  });
  it('what other payers said on its order', async () => {
    evergreen.prefetch = { order: '{{context.order}}' };
    const [hook, context, prefetch] = dispatch({ ...forEvergreen, extension: [answer(MEDICARE, 'said-by-medicare'), answer(EVERGREEN, 'said-before')] } as { readonly id: string });
    await ask(hook, context, { prefetch });
    expect(JSON.stringify(evergreen.sent)).not.toContain('said-by-medicare');
    expect(JSON.stringify(evergreen.sent)).toContain('said-before');
  });
  it.each<[Hook, string]>([['order-dispatch', 'serviceRequests'], ['order-sign', 'medicationHistory']])('%s: what came under our own keys is sifted', async (hook, key) => {
    const { services } = (await (await fetch(`${service.url}/cds-services`)).json()) as { services: readonly { hook: string; prefetch: Readonly<Record<string, string>> }[] };
    const query = services.filter((each) => each.hook === hook).map(({ prefetch }) => prefetch[key]).find((each) => each !== undefined);
    medicare.prefetch = { ours: query ?? '' };
    const elsewhere = order('old', EVERGREEN);
    const given = bundle(forMedicare, { ...forEvergreen, extension: [answer(EVERGREEN, 'said-by-evergreen')] }, elsewhere, coverage('e', 'Evergreen Health Plan'), { resourceType: 'Practitioner', id: 'u1' });
    const context = hook === 'order-sign' ? { draftOrders: bundle(forMedicare, forEvergreen) } : { performer: 'Organization/o1', dispatchedOrders: ['ServiceRequest/sm', 'ServiceRequest/se'] };
    await ask(hook, context, { prefetch: { [key]: given } });
    expect(medicare.sent.map(({ prefetch }) => idsIn(prefetch['ours']))).toEqual([['sm', 'u1']]);
    expect(JSON.stringify(medicare.sent)).not.toMatch(/said-by-evergreen|Coverage\/e|ehr\.example|"total"/);
  });
});

describe('what is of no form', () => {
  const chart = { observations: undefined, conditions: undefined };
  const oxygen = order('so', MEDICARE, { code: cpt('75561') });
  it.each<[string, object]>([
    ['a reference that is a number', { subject: { reference: 5 } }],
    ['a patient that is a text', { patient: 'p1' }],
    ['a resource nested without end', { x: 'NESTED' }],
  ])('in a payer’s card costs its answer and nothing else, however slow the EHR: %s', async (_what, wrong) => {
    service.holds([], 200);
    medicare.cards = [{ summary: 's', source: { label: 'P' }, suggestions: [{ label: 'l', actions: [{ type: 'create', description: 'd', resource: { resourceType: 'ServiceRequest', ...wrong } }] }] }];
    const reply = await ask('order-sign', { draftOrders: bundle(oxygen) }, { prefetch: chart });
    expect([reply.status, Object.keys(answers(reply))]).toEqual([200, ['ServiceRequest/so']]);
  });
  it.each([['observations', 200], ['odd', 400]])('in the caller’s prefetch, under %s: %i, and no more than that', async (key, status) => {
    service.holds([], 200);
    medicare.prefetch = { who: '{{context.userId}}' };
    medicare.answersOn = () => [oxygen];
    const reply = await ask('order-sign', { draftOrders: bundle(oxygen) }, { prefetch: { ...chart, [key]: { resourceType: 'Bundle', entry: 'nothing' } } });
    expect([reply.status, Object.values(answers(reply)).map((assertion) => assertion?.startsWith('2.2-'))]).toEqual([status, status === 200 ? [true] : []]);
  });
});

describe('a call to a payer is a call that conforms', () => {
  it('order-dispatch to one of 2.0.1: a call for each order, each answered by the payer', async () => {
    const orders = Array.from({ length: 10 }, (_, i) => order(`s${i}`, EVERGREEN));
    evergreen.answersOn = ({ context: { order: of } }) => orders.filter(({ id }) => of === `ServiceRequest/${id}`);
    const [hook, context, prefetch] = dispatch(...orders);
    const reply = await ask(hook, context, { prefetch });
    expect(new Set(evergreen.sent.map(({ context: { order: of } }) => of))).toEqual(new Set(orders.map(({ id }) => `ServiceRequest/${id}`)));
    expect(evergreen.sent).toHaveLength(10);
    expect(Object.keys(answers(reply))).toHaveLength(10);
    for (const assertion of Object.values(answers(reply))) expect(assertion).toMatch(/^2\.0-\d+$/);
  });
  it('order-select: what is picked is named with its type, and nothing is empty', async () => {
    await ask('order-select', { draftOrders: bundle(order('s1', EVERGREEN)), selections: ['s1'] }, { configuration: {} });
    expect(evergreen.sent.map(({ context: { selections }, extension }) => [selections, extension])).toEqual([[['ServiceRequest/s1'], undefined]]);
  });
  it.each<[CrdVersion, string, OwnService['base'] | undefined]>([
    ['2.2', 'ServiceRequest/s1', undefined],
    ['2.0', 'Appointment/a1', undefined],
  ])('appointment-book of a client of %s: payers of both versions get the appointment, and their answer is put on %s', async (version, on) => {
    for (const [payer, of] of [[medicare, MEDICARE], [evergreen, EVERGREEN]] as const) {
      const [based, made] = [order('s1', of), appointment('a1', 'ServiceRequest/s1')];
      payer.answersOn = () => [payer === medicare ? based : made];
      const reply = await ask('appointment-book', { appointments: bundle(made) }, { version, prefetch: { serviceRequests: bundle(based) } });
      expect(payer.sent.map(({ context: { appointments } }) => appointments?.entry?.map(({ resource }) => `${resource.resourceType}/${resource.id}`))).toEqual([['Appointment/a1']]);
      expect(answers(reply)).toEqual({ [on]: expect.stringMatching(/^2\.[02]-1$/) });
      payer.sent.length = 0;
    }
  });
  it('an answer on an appointment of two orders is none on either', async () => {
    const [one, two, made] = [order('s1', EVERGREEN), order('s2', EVERGREEN), appointment('a1', 'ServiceRequest/s1', 'ServiceRequest/s2')];
    evergreen.answersOn = () => [made];
    const reply = await ask('appointment-book', { appointments: bundle(made) }, { prefetch: { serviceRequests: bundle(one, two) } });
    expect(evergreen.sent.map(({ context: { appointments } }) => idsIn(appointments))).toEqual([['a1']]);
    expect(Object.values(answers(reply)).filter((assertion) => assertion?.startsWith('2.0'))).toEqual([]);
  });
});
