import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import express from 'express';
import { pino } from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TrainingTable } from '#models/dataset.ts';
import type { ModelBundle } from '#models/model-file.ts';
import { type AuditTrail, openAuditTrail } from '#store/audit.ts';
import type { Store } from '#store/database.ts';
import { openTestStore } from '#test-fixtures/test-store.ts';
import { ignorantModel, smallModel, smallTable } from '#test-fixtures/trained-models.ts';
import { learningRouter } from './api.ts';
import { createGate } from './gate.ts';
import { RemoteDesk } from './model-desk/remote-desk.ts';
import { type ModelRegistry, openModelRegistry } from './registry.ts';
import { RegistryError } from './registry-error.ts';
import { openModelRoles } from './roles.ts';

const TOKENS = { vic: 'viewer-token-0123456789', tara: 'trainer-token-0123456789', ada: 'approver-token-0123456789', admin: 'admin-token-0123456789' } as const;
const digest = (token: string) => createHash('sha256').update(token).digest('hex');
const PEOPLE = [{ name: 'vic', role: 'viewer' }, { name: 'tara', role: 'trainer' }, { name: 'ada', role: 'approver' }] as const;
const rolesJson = (people: readonly { readonly name: string; readonly role: string }[]) => JSON.stringify({ people: people.map(({ name, role }) => ({ name, role, tokenSha256: digest(TOKENS[name as keyof typeof TOKENS] ?? name) })) });

let folder: string;
let store: Store;
let audit: AuditTrail;
let registry: ModelRegistry;
let http: Server;
let base: string;
let table: TrainingTable;
let shipped: ModelBundle;
let candidate: ModelBundle;
let ignorant: ModelBundle;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'model-roles-'));
  writeFileSync(join(folder, 'roles.json'), rolesJson(PEOPLE));
  table = smallTable();
  [shipped, candidate, ignorant] = await Promise.all([smallModel(table, 1), smallModel(table, 2), ignorantModel(table)]);
  store = await openTestStore();
  audit = await openAuditTrail(store, Date.now, (error) => expect.fail(String(error)));
  registry = await openModelRegistry({ store, audit, now: Date.now, gate: createGate(async () => ({ table, faults: [] })), shipped: [shipped] });
  const app = express();
  app.set('trust proxy', 1);
  app.use(learningRouter({ registry, roles: openModelRoles({ file: join(folder, 'roles.json'), adminToken: TOKENS.admin }), audit, log: pino({ level: 'silent' }) }));
  http = app.listen(0, '127.0.0.1');
  await new Promise((done) => http.once('listening', done));
  base = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
});
afterAll(async () => {
  http.closeAllConnections();
  await new Promise((done) => http.close(done));
  await registry.stop();
  await audit.stop();
  await store.close();
  rmSync(folder, { recursive: true });
});

type Who = keyof typeof TOKENS;
async function call(who: Who | undefined, method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${base}/learning/api${path}`, {
    method,
    headers: { ...(who ? { authorization: `Bearer ${TOKENS[who]}` } : {}), ...(body === undefined ? {} : { 'content-type': 'application/json' }), ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  });
  const text = await response.text();
  return { status: response.status, headers: response.headers, text, body: response.headers.get('content-type')?.includes('json') ? JSON.parse(text) : undefined };
}
const registration = (bundle: ModelBundle) => ({ json: JSON.stringify(bundle.file), onnxBase64: Buffer.from(bundle.onnx).toString('base64'), why: 'A test' });
const why = 'A test';

describe('who may do what', () => {
  it.each<[Who | undefined, string, string, number]>([
    [undefined, 'GET', '/models', 401],
    ['vic', 'GET', '/session', 200],
    ['vic', 'GET', '/models', 200],
    ['vic', 'POST', '/models', 403],
    ['vic', 'GET', '/models/VERSION/bundle', 403],
    ['vic', 'POST', '/models/VERSION/gate', 403],
    ['tara', 'POST', '/models/VERSION/promote', 403],
    ['tara', 'POST', '/models/VERSION/retire', 403],
    ['tara', 'POST', '/rollback', 403],
    ['ada', 'POST', '/rollback', 409],
    ['admin', 'GET', '/session', 200],
  ])('%s %s %s: %i', async (who, method, path, status) => {
    const answer = await call(who, method, path.replace('VERSION', shipped.file.version), method === 'POST' ? { kind: 'denial-risk', why } : undefined);
    expect([answer.status, answer.headers.get('cache-control')]).toEqual([status, 'no-store']);
    expect(typeof answer.body.error?.code).toBe(status >= 400 ? 'string' : 'undefined');
  });

  it('tells a wrong token apart from none, and ends the guessing', async () => {
    const guess = () => call(undefined, 'GET', '/models', undefined, { authorization: 'Bearer wrong', 'x-forwarded-for': '203.0.113.7' });
    expect(await guess()).toMatchObject({ status: 401, body: { error: { code: 'MODEL_TOKEN_NEEDED' } } });
    for (let tries = 0; tries < 20; tries += 1) await guess();
    expect(await guess()).toMatchObject({ status: 429, body: { error: { code: 'TOO_MANY_REQUESTS' } } });
    expect((await call('vic', 'GET', '/session')).body).toEqual({ who: 'vic', role: 'viewer' });
  });
});

describe('bad input', () => {
  it.each<[string, Who, string, unknown, number, string]>([
    ['no JSON', 'ada', '/rollback', '{', 400, 'REQUEST_INVALID'],
    ['an array', 'ada', '/rollback', '[]', 400, 'REQUEST_INVALID'],
    ['no reason', 'ada', '/rollback', { kind: 'denial-risk' }, 400, 'REQUEST_INVALID'],
    ['a blank reason', 'ada', '/rollback', { kind: 'denial-risk', why: '  ' }, 400, 'REQUEST_INVALID'],
    ['a reason that no database keeps', 'ada', '/rollback', { kind: 'denial-risk', why: 'a\u0000b' }, 400, 'REQUEST_INVALID'],
    ['another kind', 'ada', '/rollback', { kind: 'weather', why }, 400, 'REQUEST_INVALID'],
    ['more than is asked', 'ada', '/rollback', { kind: 'denial-risk', why, who: 'somebody else' }, 400, 'REQUEST_INVALID'],
    ['far too many words', 'ada', '/rollback', { kind: 'denial-risk', why: 'x'.repeat(20_000) }, 413, 'REQUEST_INVALID'],
    ['a stage that is no step up', 'ada', '/models/VERSION/promote', { to: 'retired', why }, 400, 'REQUEST_INVALID'],
    ['a share of more than all', 'ada', '/models/VERSION/promote', { to: 'canary', why, share: 1.5 }, 400, 'REQUEST_INVALID'],
    ['a version that is not there', 'ada', '/models/ffffffffffff/promote', { to: 'shadow', why }, 404, 'MODEL_NOT_FOUND'],
    ['a version with signs', 'ada', '/models/%25/promote', { to: 'shadow', why }, 404, 'MODEL_NOT_FOUND'],
    ['an escape that is none', 'ada', '/models/%E0%A4%A/promote', { to: 'shadow', why }, 400, 'REQUEST_INVALID'],
    ['no bundle', 'tara', '/models', { why }, 400, 'REQUEST_INVALID'],
    ['an ONNX file that is no base64', 'tara', '/models', { json: '{}', onnxBase64: '***', why }, 400, 'REQUEST_INVALID'],
    ['a bundle that is no JSON', 'tara', '/models', { json: '{', onnxBase64: 'AAAA', why }, 422, 'MODEL_BUNDLE_INVALID'],
    ['a bundle of something else', 'tara', '/models', { json: '{"kind":"denial-risk"}', onnxBase64: 'AAAA', why }, 422, 'MODEL_BUNDLE_INVALID'],
    ['no such address', 'ada', '/nothing', { why }, 404, 'REQUEST_INVALID'],
  ])('%s', async (_what, who, path, body, status, code) => {
    expect(await call(who, 'POST', path.replace('VERSION', shipped.file.version), body)).toMatchObject({ status, body: { error: { code } } });
  });

  it('another content type', async () => {
    expect(await call('ada', 'POST', '/rollback', 'kind=denial-risk', { 'content-type': 'application/x-www-form-urlencoded' })).toMatchObject({ status: 415, body: { error: { code: 'REQUEST_INVALID' } } });
  });
});

describe('the life of a model by HTTP', () => {
  it('is registered by one person and promoted by another, step by step, then rolled back in one call', async () => {
    expect(await call('tara', 'POST', '/models', registration(candidate))).toMatchObject({ status: 201, body: { stage: 'candidate', registeredBy: 'tara' } });
    const { version } = candidate.file;
    const promote = (to: string, more: object = {}) => call('ada', 'POST', `/models/${version}/promote`, { to, why, ...more });
    expect(await promote('live')).toMatchObject({ status: 409, body: { error: { code: 'MODEL_STEP_NOT_ALLOWED' } } });
    expect(await promote('shadow')).toMatchObject({ status: 200, body: { model: { stage: 'shadow' }, report: { passed: true } } });
    expect(await promote('canary', { share: 0.2 })).toMatchObject({ status: 200, body: { model: { canaryShare: 0.2 } } });
    expect(await promote('live')).toMatchObject({ status: 200, body: { model: { stage: 'live' } } });
    const page = (await call('vic', 'GET', '/models')).body;
    expect(page.models.find((model: { version: string }) => model.version === version)).toMatchObject({ kind: 'denial-risk', stage: 'live', share: null, simulated: true, gateReports: [{ to: 'live' }, { to: 'canary' }, { to: 'shadow', passed: true }] });
    expect(page.events[0]).toMatchObject({ who: 'ada', to: 'live', outcome: 'done', why });
    expect(await call('ada', 'POST', '/rollback', { kind: 'denial-risk', why })).toMatchObject({ status: 200, body: { version: shipped.file.version, stage: 'live' } });
  });

  it('a bad one is refused at the gate with every reason, which the page shows', async () => {
    await call('tara', 'POST', '/models', registration(ignorant));
    const refused = await call('ada', 'POST', `/models/${ignorant.file.version}/promote`, { to: 'shadow', why });
    expect(refused).toMatchObject({ status: 422, body: { error: { code: 'MODEL_GATE_REFUSED', message: expect.stringContaining('AUC') } } });
    const page = (await call('vic', 'GET', '/models')).body;
    expect(page.events.find((event: { outcome: string }) => event.outcome === 'refused')).toMatchObject({ version: ignorant.file.version, to: 'shadow' });
  });

  it('has a card in Markdown and JSON, which says simulated wherever a figure shows', async () => {
    const card = await call('vic', 'GET', `/models/${shipped.file.version}/card`);
    expect([card.status, card.headers.get('content-type')]).toEqual([200, expect.stringContaining('text/markdown')]);
    for (const line of [`# Model card: denial-risk ${shipped.file.version} (simulated)`, '## Measures at training (simulated)', '## Measured on later decisions (simulated)', '## Subgroups (simulated)']) expect(card.text).toContain(line);
    expect((await call('vic', 'GET', `/models/${shipped.file.version}/card?format=json`)).body).toMatchObject({ model: { version: shipped.file.version }, limits: expect.arrayContaining([expect.stringContaining('simulated')]), evaluation: { subgroups: expect.any(Array) } });
  });
});

describe('the desk of the commands, through the running process', () => {
  const desk = (token: string | undefined) => new RemoteDesk({ PUBLIC_URL: base, MODEL_TOKEN: token });
  it('does what the API does, and takes out what was put in', async () => {
    expect((await desk(TOKENS.vic).list()).models.length).toBeGreaterThan(1);
    const bundle = await desk(TOKENS.tara).bundle(candidate.file.version);
    expect(bundle.file).toEqual(candidate.file);
    expect(await desk(TOKENS.tara).gate(ignorant.file.version)).toMatchObject({ passed: false, to: 'shadow' });
    expect(await desk(TOKENS.ada).retire(ignorant.file.version, why)).toMatchObject({ stage: 'retired' });
    await expect(desk(TOKENS.ada).promote(candidate.file.version, { why })).rejects.toMatchObject({ code: 'MODEL_STEP_NOT_ALLOWED' });
    await expect(desk(TOKENS.vic).rollback('denial-risk', why)).rejects.toMatchObject({ code: 'MODEL_ROLE_NEEDED', message: expect.stringContaining('approver') });
  });

  it('says what is missing', async () => {
    expect(() => desk(undefined)).toThrow('MODEL_TOKEN');
    await expect(new RemoteDesk({ PUBLIC_URL: 'http://127.0.0.1:1', MODEL_TOKEN: 'x' }).list()).rejects.toThrow('cannot be reached');
  });
});

describe('the file of roles', () => {
  it.each<[string, string, string]>([
    ['is no JSON', '{', 'not JSON'],
    ['has a role that there is not', rolesJson([{ name: 'x', role: 'owner' }]), 'people.0.role'],
    ['has a name twice', JSON.stringify({ people: ['a', 'b'].map((token) => ({ name: 'x', role: 'viewer', tokenSha256: digest(token) })) }), 'same name'],
    ['has a token twice', JSON.stringify({ people: ['x', 'y'].map((name) => ({ name, role: 'viewer', tokenSha256: digest('t') })) }), 'same token'],
    ['has a token in clear', JSON.stringify({ people: [{ name: 'x', role: 'viewer', tokenSha256: 'secret' }] }), 'SHA-256'],
    ['takes a name of the program', rolesJson([{ name: 'admin', role: 'approver' }]), 'names of the program'],
  ])('%s: refused with the line', (_what, text, words) => {
    const file = join(folder, 'bad.json');
    writeFileSync(file, text);
    expect(() => openModelRoles({ file })).toThrow(RegistryError);
    expect(() => openModelRoles({ file })).toThrow(words);
  });

  it('is read again when it changes; a bad one leaves in force what it said before', () => {
    const file = join(folder, 'changing.json');
    writeFileSync(file, rolesJson(PEOPLE));
    const faults: string[] = [];
    const roles = openModelRoles({ file, onFileFault: ({ code }) => faults.push(code) });
    expect(roles.personOf(TOKENS.ada)).toEqual({ name: 'ada', role: 'approver' });
    writeFileSync(file, '{ no longer JSON');
    expect(roles.personOf(TOKENS.ada)).toEqual({ name: 'ada', role: 'approver' });
    expect(faults).toEqual(['MODEL_ROLES_FILE_INVALID']);
    writeFileSync(file, rolesJson([{ name: 'ada', role: 'viewer' }]));
    expect([roles.personOf(TOKENS.ada), roles.personOf(TOKENS.tara), roles.personOf('')]).toEqual([{ name: 'ada', role: 'viewer' }, undefined, undefined]);
  });
});
