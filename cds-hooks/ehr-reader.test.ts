import { pino } from 'pino';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readRequirement } from '#prior-auth/coverage-requirement/read-requirement.ts';
import { type HookReply, runCdsHooks, type RunningCdsHooks } from '../test-fixtures/running-cds-hooks.ts';

/* Answers of an EHR in pages, of which not all come; and calls that name more than an EHR should be asked for. */

const PAGE = /[?&]page=(\d+)/;
const subject = { reference: 'Patient/p1' };
const patient = { resourceType: 'Patient', id: 'p1', address: [{ state: 'WA' }] };
const coverage = { resourceType: 'Coverage', id: 'c1', status: 'active', beneficiary: subject, payor: [{ display: 'Medicare' }] };
const order = { resourceType: 'DeviceRequest', id: 'd1', status: 'draft', intent: 'order', subject, authoredOn: '2026-11-22', requester: { reference: 'Practitioner/u1' }, codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390' }] } };
/** Too old for the test that the policy wants of the last days. */
const saturation = (value: number) => ({ resourceType: 'Observation', id: `o${value}`, status: 'final', subject, code: { coding: [{ system: 'http://loinc.org', code: '59408-5' }] }, effectiveDateTime: '2026-01-12', valueQuantity: { value, unit: '%' } });
const haemoglobin = { resourceType: 'Observation', id: 'hb', status: 'final', subject, code: { coding: [{ code: '718-7' }] } };
const bundle = (...resources: readonly object[]) => ({ resourceType: 'Bundle', type: 'searchset', entry: resources.map((resource) => ({ resource })) });
const chart = { conditions: null, procedures: null, reports: null, documents: null, medicationHistory: null };

const logged: string[] = [];
let service: RunningCdsHooks;
beforeAll(async () => {
  service = await runCdsHooks({ log: pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) }) });
});
afterAll(() => service.stop());
beforeEach(() => {
  service.asked.length = 0;
  logged.length = 0;
});

const ask = (prefetch: object, more: object = {}): Promise<HookReply> => service.post('order-sign-crd', {
  hook: 'order-sign', hookInstance: 'd1577c69-dfbe-44ad-ba6d-3e05e953b2ea', fhirServer: service.ehrBase, fhirAuthorization: { access_token: 't', token_type: 'Bearer', expires_in: 30, scope: 'patient/*.rs', subject: 'x' },
  context: { userId: 'Practitioner/u1', patientId: 'p1', draftOrders: bundle({ ...order, ...more }) }, prefetch: { patient, ...chart, ...prefetch },
});
/** The searches of one type come in pages, the last of which, if there is one, names no next; what `pages` does not give hangs. */
function holdsPages(type: string, pages: (page: number) => readonly object[] | undefined, last = Number.POSITIVE_INFINITY): void {
  service.holds((query) => {
    const page = Number(PAGE.exec(query)?.[1] ?? 1);
    const resources = query.startsWith(`${type}?`) ? pages(page) : [];
    if (!resources) return 'hang';
    return { status: 200, body: { ...bundle(...resources), ...(page < last && query.startsWith(`${type}?`) ? { link: [{ relation: 'next', url: `${service.ehrBase}/${type}?page=${page + 1}` }] } : {}) } };
  });
}
const requirements = ({ systemActions }: HookReply) => systemActions.flatMap(({ resource }) => readRequirement(resource as Parameters<typeof readRequirement>[0]));
const reasonsOf = (reply: HookReply): string => requirements(reply).flatMap(({ reasons }) => reasons).join(' ');
const saturationFound = ({ cards }: HookReply): unknown => cards.flatMap(({ extension }) => (extension['org.openpriorauth.denial-risk'] as { readonly criteria: readonly { readonly criterionId: string; readonly status: string }[] } | undefined)?.criteria ?? []).find(({ criterionId }) => criterionId === 'qualifying-saturation')?.status;
const whys = (): readonly unknown[] => logged.map((line) => (JSON.parse(line) as { readonly why?: unknown }).why).filter((why) => why !== undefined);
const NOT_CHECKED = /Not checked, because it could not be read from the record: Observation\./;

describe('a chart in pages', () => {
  const known = { coverage: bundle(coverage) };
  it('is read to its end', async () => {
    holdsPages('Observation', (page) => (page === 9 ? [saturation(86)] : [haemoglobin]), 9);
    const reply = await ask(known);
    expect([saturationFound(reply), reasonsOf(reply)]).toEqual(['met', expect.not.stringMatching(NOT_CHECKED)]);
  });
  it.each<[string, (page: number) => readonly object[], unknown]>([
    ['the value is on a page beyond those that are read', (page) => (page === 11 ? [saturation(86)] : [haemoglobin]), 'unknown'],
    ['another value is on those that are read', (page) => (page === 11 ? [saturation(86)] : page === 1 ? [saturation(97)] : [haemoglobin]), 'not-met'],
    ['they never end', () => [haemoglobin], 'unknown'],
  ])('has more than are read: %s, and that not all was is said', async (_name, pages, expected) => {
    holdsPages('Observation', pages);
    const reply = await ask(known);
    expect([saturationFound(reply), reasonsOf(reply)]).toEqual([expected, expect.stringMatching(NOT_CHECKED)]);
    expect(service.asked.length).toBe(10);
    expect(whys()).toEqual(['more pages than are read']);
  });
  it('whose second page hangs: what the first holds is found', async () => {
    holdsPages('Observation', (page) => (page === 1 ? [saturation(97), saturation(86)] : undefined));
    const reply = await ask(known);
    expect(requirements(reply)).toMatchObject([{ paNeeded: 'auth-needed', reasons: expect.arrayContaining([expect.stringMatching(NOT_CHECKED)]) }]);
    // The card that says so comes if there is time left.
    expect(['met', undefined]).toContain(saturationFound(reply));
  });
  it('whose second page fails: what the first holds is found', async () => {
    service.holds((query) => (PAGE.test(query) ? { status: 500, body: {} } : { status: 200, body: { ...bundle(saturation(86)), link: [{ relation: 'next', url: `${service.ehrBase}/Observation?page=2` }] } }));
    const reply = await ask(known);
    expect([saturationFound(reply), reasonsOf(reply)]).toEqual(['met', expect.stringMatching(NOT_CHECKED)]);
  });
});

describe('coverages in pages, of which the second hangs', () => {
  const IN_PART = /Not all of the patient's coverages could be read/;
  const firstPage = (...resources: readonly object[]): void => holdsPages('Coverage', (page) => (page === 1 ? resources : undefined));
  const nothing = { observations: null };
  it('an active one on the first is answered under, with a remark', async () => {
    firstPage(coverage);
    const reply = await ask(nothing);
    expect(requirements(reply)).toMatchObject([{ coverage: 'Coverage/c1', paNeeded: 'auth-needed' }]);
    expect(reasonsOf(reply)).toMatch(IN_PART);
  });
  it('the remark is left out where the order names the one that was found', async () => {
    firstPage(coverage);
    const reply = await ask(nothing, { insurance: [{ reference: 'Coverage/c1' }] });
    expect(requirements(reply)).toMatchObject([{ coverage: 'Coverage/c1', paNeeded: 'auth-needed' }]);
    expect(reasonsOf(reply)).not.toMatch(IN_PART);
  });
  it.each<[string, object]>([['ended', { status: 'cancelled' }], ['paid by the patient', { payor: [subject] }]])('none but one that is %s: nobody says that there is no other', async (_name, more) => {
    firstPage({ ...coverage, ...more });
    expect((await ask(nothing)).status).toBe(412);
  });
  it('the same when the first page came with the prefetch', async () => {
    firstPage();
    const given = (one: object) => ({ ...nothing, coverage: { ...bundle(one), link: [{ relation: 'next', url: `${service.ehrBase}/Coverage?page=2` }] } });
    expect(reasonsOf(await ask(given(coverage)))).toMatch(IN_PART);
    expect((await ask(given({ ...coverage, status: 'cancelled' }))).status).toBe(412);
  });
});

describe('a call that names more than can be read', () => {
  const insurance = Array.from({ length: 300 }, (_, i) => ({ reference: `Coverage/x${i}` }));
  const known = { coverage: bundle(coverage), observations: null };
  it('costs its EHR a bounded number of reads, few at once, and is answered', async () => {
    service.holds([], 5);
    expect(requirements(await ask(known, { insurance }))).toMatchObject([{ coverage: 'Coverage/c1', paNeeded: 'auth-needed' }]);
    expect(service.asked.length).toBeLessThanOrEqual(50);
    expect(service.mostAtOnce()).toBeLessThanOrEqual(8);
    expect(whys().length).toBeLessThanOrEqual(2);
  });
  it('and an EHR that hangs gets no read when the time is over; the log says why, once', async () => {
    service.holds(() => 'hang');
    expect(requirements(await ask(known, { insurance }))).toMatchObject([{ coverage: 'Coverage/c1', paNeeded: 'auth-needed' }]);
    expect(service.asked.length).toBe(8);
    expect([whys().length, new Set(whys())]).toEqual([2, new Set(['deadline', 'more reads than a call may cause'])]);
  });
});
