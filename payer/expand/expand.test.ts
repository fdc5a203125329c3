import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ValueSet } from '@medplum/fhirtypes';
import express from 'express';
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openValidator } from '#fhir/validation/validator.ts';
import { questionnairePackageRouter } from '../questionnaire-package/questionnaire-package-router.ts';
import { expandValueSet } from './expand-value-set.ts';

const EQUIPMENT = 'https://payer.openpriorauth.org/fhir/ValueSet/equipment';
let server: Server;
let origin: string;

beforeAll(async () => {
  const app = express();
  app.use(questionnairePackageRouter({
    baseUrl: 'http://payer.test', policyFolder: new URL('../../policies/library', import.meta.url).pathname, log: pino({ level: 'silent' }), now: () => Date.UTC(2026, 10, 24),
    authorise: (req, res, next) => (req.headers.authorization === 'Bearer good' ? next() : void res.status(401).end()),
  }));
  server = createServer(app);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => void server.close());

const headers = { authorization: 'Bearer good', 'content-type': 'application/fhir+json' };
const get = (query: string, base = '/payer/fhir') => fetch(`${origin}${base}/ValueSet/${query}`, { headers });
const post = (parameter: unknown, base = '/payer/fhir') => fetch(`${origin}${base}/ValueSet/$expand`, { method: 'POST', headers, body: JSON.stringify({ resourceType: 'Parameters', parameter }) });
const codes = async (reply: Response) => ((await reply.json()) as ValueSet).expansion?.contains?.map(({ code }) => code) ?? [];

describe.each(['/payer/fhir', '/payer/fhir/dtr-2.2'])('ValueSet/$expand at %s', (base) => {
  it('GET and POST give the same, valid, of the value set named', async () => {
    const got = (await (await get(`$expand?url=${EQUIPMENT}&filter=wheel&count=5`, base)).json()) as ValueSet;
    const posted = (await (await post([{ name: 'url', valueUri: EQUIPMENT }, { name: 'filter', valueString: 'wheel' }, { name: 'count', valueInteger: 5 }], base)).json()) as ValueSet;
    expect(got.expansion?.contains).toEqual(posted.expansion?.contains);
    expect(got.expansion?.contains).toHaveLength(5);
    expect(got.expansion?.total).toBeGreaterThan(5);
    expect(got.url).toBe(EQUIPMENT);
    expect(openValidator(['dtr-2.0.1']).validate(got).issues.filter(({ severity }) => severity === 'error')).toEqual([]);
  });
  it('pages with offset and count join without a gap', async () => {
    const all = await codes(await get(`$expand?url=${EQUIPMENT}`, base));
    expect(all.length).toBeGreaterThan(600);
    const pages = await Promise.all([0, 250, 500, 750].map(async (offset) => codes(await get(`$expand?url=${EQUIPMENT}&count=250&offset=${offset}`, base))));
    expect(pages.flat()).toEqual(all);
  });
  it('count=0 only counts', async () => expect(((await (await get(`$expand?url=${EQUIPMENT}&count=0`, base)).json()) as ValueSet).expansion).toMatchObject({ total: expect.any(Number), contains: [] }));
  it.each<[string, number]>([
    [`$expand?url=${encodeURIComponent(`${EQUIPMENT}|1.0.0`)}`, 200], [`$expand?url=${EQUIPMENT}&valueSetVersion=1.0.0`, 200], ['equipment/$expand?filter=cane', 200], [`$expand?url=${EQUIPMENT}&activeOnly=true&includeDesignations=true`, 200],
    ['$expand', 400], ['$expand?url=', 400], [`$expand?url=${EQUIPMENT}&url=x`, 400], [`$expand?url=${EQUIPMENT}&count=-1`, 400], [`$expand?url=${EQUIPMENT}&count=many`, 400], [`$expand?url=${EQUIPMENT}&offset=1.5`, 400],
    [`$expand?url=${EQUIPMENT}&activeOnly=false`, 400], [`$expand?url=${EQUIPMENT}&date=2020-01-01`, 400], [`$expand?url=${EQUIPMENT}|9`, 404], ['$expand?url=http://unknown', 404], ['none/$expand', 404],
  ])('GET %s: %i', async (query, status) => {
    const reply = await get(query, base);
    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({ resourceType: status === 200 ? 'ValueSet' : 'OperationOutcome' });
  });
  it.each<[string, unknown, number]>([
    ['no url', [], 400], ['url twice', [{ name: 'url', valueUri: EQUIPMENT }, { name: 'url', valueUri: EQUIPMENT }], 400], ['a part that is null', [null], 400], ['no list', 'x', 400],
    ['a value set of the caller', [{ name: 'valueSet', resource: { resourceType: 'ValueSet', status: 'active' } }], 400], ['a filter that is no text', [{ name: 'url', valueUri: EQUIPMENT }, { name: 'filter', valueInteger: 3 }], 400],
    ['an unknown one', [{ name: 'url', valueUri: 'http://unknown' }], 404],
  ])('POST %s', async (_name, parameter, status) => {
    const reply = await post(parameter, base);
    expect(reply.status).toBe(status);
    expect(await reply.json()).toMatchObject({ resourceType: 'OperationOutcome' });
  });
});

it('needs a token', async () => expect((await fetch(`${origin}/payer/fhir/ValueSet/$expand?url=${EQUIPMENT}`)).status).toBe(401));

describe('type-ahead', () => {
  const set: ValueSet = {
    resourceType: 'ValueSet', status: 'active',
    expansion: { timestamp: '2026-01-01', contains: [
      { system: 's', code: 'A1', display: 'Rollator, four wheels' }, { system: 's', code: 'A2', display: 'Chair with Wheels' }, { system: 's', code: 'A3', display: 'Fahrgerät' }, { system: 's', code: 'A4', display: 'Wheel, old', inactive: true },
      { system: 's', code: 'G', display: 'Group', abstract: true, contains: [{ system: 's', code: 'B1', display: 'Cartwheel' }] },
    ] },
  };
  it.each<[string | undefined, string[]]>([
    [undefined, ['A1', 'A2', 'A3', 'B1']], ['', ['A1', 'A2', 'A3', 'B1']], ['WHEEL', ['A1', 'A2']], ['wheels four', ['A1']], ['fahrgerat', ['A3']], ['FAHRGERÄT', ['A3']], ['a2', ['A2']], ['heel', []], [' , ', ['A1', 'A2', 'A3', 'B1']], ['four chair', []],
  ])('%j', (filter, expected) => {
    const expanded = expandValueSet(set, { url: 'u', offset: 0, ...(filter === undefined ? {} : { filter }) }, { nowMs: 0, newId: () => 'id' });
    expect(expanded.expansion?.contains?.map(({ code }) => code)).toEqual(expected);
  });
});
