import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import type { Bundle, Claim, ClaimItem, ClaimResponse, ClaimResponseItem, Parameters, QuestionnaireResponse, QuestionnaireResponseItem, Resource } from '@medplum/fhirtypes';
import express from 'express';
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose';
import type { Kysely } from 'kysely';
import { pino } from 'pino';
import type { PayerTables } from '#payer/database.ts';
import { createPayer } from '#payer/payer.ts';

const FIXTURES = join(import.meta.dirname, '../payer/fixtures');
const PAS = 'http://hl7.org/fhir/us/davinci-pas/StructureDefinition';
export const HCPCS = 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets';
export const CPT = 'http://www.ama-assn.org/go/cpt';
export const ALL_SCOPES = 'system/Claim.c system/Questionnaire.rs system/Subscription.crud';

/** A client of the payer: its keys, its published key set and its receiver of notifications, all on the bench's own HTTP server. */
export type BenchClient = Awaited<ReturnType<typeof makeClient>>;

async function makeClient(clientId: string, alg: 'ES384' | 'RS384') {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const kid = randomUUID();
  const keys = [{ ...(await exportJWK(publicKey)), kid, alg, use: 'sig' }];
  return { clientId, alg, privateKey, kid, keys, received: [] as Bundle[], receiverStatus: 200, authorizations: [] as (string | undefined)[] };
}

export interface BenchOptions {
  readonly db: Kysely<Record<string, never>>;
  readonly reviewDelayMs?: number;
  readonly reviewerToken?: string;
  readonly started?: boolean;
  readonly decisions?: { readonly automaticConfidence?: number; readonly sandboxDecisions?: boolean };
}

type PasVersion = '2.0.1' | '2.2.1';
export const PAS_BASES: { readonly [V in PasVersion]: string } = { '2.0.1': '/payer/fhir', '2.2.1': '/payer/pas-2.2.1/fhir' };

/** A payer behind real HTTP on a free port, with two registered clients ("clinic" and "other"). */
export async function openPayerBench({ db, reviewDelayMs = 200, reviewerToken, started = true, decisions }: BenchOptions) {
  const app = express();
  const server = createServer(app);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const clients = { clinic: await makeClient('clinic', 'ES384'), other: await makeClient('other', 'RS384') };
  for (const client of Object.values(clients)) {
    app.get(`/${client.clientId}/jwks.json`, (_req, res) => void res.json({ keys: client.keys }));
    app.post(`/${client.clientId}/notifications`, express.json({ type: '*/*' }), (req, res) => {
      client.received.push(req.body as Bundle);
      client.authorizations.push(req.get('authorization'));
      res.status(client.receiverStatus).end();
    });
  }
  const clock = { aheadMs: 0 };
  const payer = await createPayer({
    db,
    baseUrl,
    log: pino({ level: 'silent' }),
    now: () => Date.now() + clock.aheadMs,
    policyFolder: join(FIXTURES, 'policies'),
    registeredClients: Object.values(clients).map(({ clientId }) => ({ clientId, jwksUrl: `${baseUrl}/${clientId}/jwks.json` })),
    reviewDelayMs,
    reviewerToken,
    decisions,
  });
  app.use(payer.router);
  if (started) await payer.start();

  const assertion = (client: BenchClient, claims: JWTPayload = {}, header: Record<string, string> = {}) =>
    new SignJWT({ iss: client.clientId, sub: client.clientId, aud: `${baseUrl}/payer/oauth/token`, jti: randomUUID(), exp: Math.floor((Date.now() + clock.aheadMs) / 1000) + 240, ...claims })
      .setProtectedHeader({ alg: client.alg, kid: client.kid, typ: 'JWT', ...header })
      .sign(client.privateKey);
  const askToken = (form: Record<string, string>) =>
    fetch(`${baseUrl}/payer/oauth/token`, { method: 'POST', headers: { 'Content-Type': 'application/x-www-form-urlencoded' }, body: new URLSearchParams(form) });
  const tokenForm = (client_assertion: string, scope = ALL_SCOPES) => ({
    grant_type: 'client_credentials',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion,
    scope,
  });
  const token = async (client: BenchClient = clients.clinic, scope = ALL_SCOPES): Promise<string> => {
    const reply = await askToken(tokenForm(await assertion(client), scope));
    return ((await reply.json()) as { access_token: string }).access_token;
  };
  const tokens = new Map<string, string>();
  const call = async (method: string, path: string, { body, client = clients.clinic, headers = {} }: { body?: unknown; client?: BenchClient; headers?: Record<string, string> } = {}) => {
    const bearer = tokens.get(client.clientId) ?? (await token(client));
    tokens.set(client.clientId, bearer);
    return fetch(`${baseUrl}${path}`, {
      method,
      headers: { Authorization: `Bearer ${bearer}`, ...(body === undefined ? {} : { 'Content-Type': 'application/fhir+json' }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
  };
  return {
    baseUrl,
    clients,
    clock,
    payer,
    db: db.withTables<PayerTables>(),
    assertion,
    askToken,
    tokenForm,
    token,
    call,
    submit: (body: unknown, client?: BenchClient, version: PasVersion = '2.0.1') => call('POST', `${PAS_BASES[version]}/Claim/$submit`, { body, ...(client ? { client } : {}) }),
    inquire: (body: unknown, client?: BenchClient, version: PasVersion = '2.0.1') => call('POST', `${PAS_BASES[version]}/Claim/$inquire`, { body, ...(client ? { client } : {}) }),
    attach: (body: unknown, client?: BenchClient, version: PasVersion = '2.0.1') => call('POST', `${PAS_BASES[version]}/$submit-attachment`, { body, ...(client ? { client } : {}) }),
    /** The review queue, as its bearer. */
    review: (method: string, path: string, body?: unknown, headers: Record<string, string> = {}) =>
      fetch(`${baseUrl}/payer/review/queue${path}`, {
        method,
        headers: { Authorization: `Bearer ${reviewerToken}`, ...(body === undefined ? {} : { 'Content-Type': 'application/json' }), ...headers },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      }),
    async close() {
      await payer.stop();
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

export type PayerBench = Awaited<ReturnType<typeof openPayerBench>>;

export interface RequestInput {
  readonly system?: string;
  readonly code?: string;
  readonly quantity?: ClaimItem['quantity'];
  readonly answers?: QuestionnaireResponseItem[];
  readonly memberId?: string;
  readonly version?: PasVersion;
  /** More items, by code, with the sequences 2, 3 … */
  readonly more?: readonly string[];
}

export const ANSWERS = {
  saturation: (value: number): QuestionnaireResponseItem => ({ linkId: 'resting-saturation', answer: [{ valueQuantity: { value, unit: '%', system: 'http://unitsofmeasure.org', code: '%' } }] }),
  assessment: (value: boolean): QuestionnaireResponseItem => ({ linkId: 'assessment', answer: [{ valueBoolean: value }] }),
  ahi: (value: number): QuestionnaireResponseItem => ({ linkId: 'ahi', answer: [{ valueDecimal: value }] }),
};

/** A request of its own identifier made from payer/fixtures/request.json: home oxygen with a saturation of 86 % unless said otherwise. */
export function requestBundle({ system = HCPCS, code = 'E1390', quantity, answers, memberId, version = '2.0.1', more = [] }: RequestInput = {}): Bundle {
  const text = readFileSync(join(FIXTURES, 'request.json'), 'utf8');
  const bundle = JSON.parse(memberId === undefined ? text : text.replaceAll('"M100"', `"${memberId}"`)) as Bundle;
  bundle.identifier = { system: 'https://clinic.example.org/submission', value: randomUUID() };
  const claim = claimOf(bundle);
  claim.identifier = [{ system: 'urn:trnorg:9012345678', value: randomUUID() }];
  const item = claim.item?.[0];
  if (!item) throw new Error('the fixture has no item');
  item.productOrService = { coding: [{ system, code }] };
  if (quantity) item.quantity = quantity;
  const response = bundle.entry?.map(({ resource }) => resource).find((resource): resource is QuestionnaireResponse => resource?.resourceType === 'QuestionnaireResponse');
  if (response && answers) response.item = answers;
  more.forEach((another, index) => void claim.item?.push(anotherItem(item, index + 2, another)));
  if (version === '2.2.1') {
    claim.meta = { profile: [`${PAS}/profile-claim`] };
    const reportTypeCode = { coding: [{ system: 'https://codesystem.x12.org/005010/755', code: 'PY' }] };
    for (const information of claim.supportingInfo ?? []) information.extension = [{ url: `${PAS}/extension-documentInformation`, extension: [{ url: 'reportTypeCode', valueCodeableConcept: reportTypeCode }] }];
  }
  return bundle;
}

function anotherItem(item: ClaimItem, sequence: number, code: string): ClaimItem {
  return { ...(JSON.parse(JSON.stringify(item).replace('"T-1"', `"T-${sequence}"`)) as ClaimItem), sequence, productOrService: { coding: [{ system: HCPCS, code }] } };
}

const CANCEL = { url: `${PAS}/extension-certificationType`, valueCodeableConcept: { coding: [{ system: 'https://codesystem.x12.org/005010/1322', code: '3' }] } };

export interface UpdateInput {
  readonly cancel?: readonly number[];
  /** New quantity by sequence. */
  readonly change?: Readonly<Record<number, number>>;
  readonly add?: readonly string[];
  /** Cancels the whole: 2.2.1 by the root's certification type, 2.0.1 by every item. */
  readonly cancelAll?: boolean;
}

/** An update of a request, in that request's version, written here by hand after PAS §6 and not by the sender's code. */
export function updateBundle(previous: Bundle, version: PasVersion, { cancel = [], change = {}, add = [], cancelAll = false }: UpdateInput): Bundle {
  const bundle = structuredClone(previous);
  const [first, ...others] = bundle.entry ?? [];
  const before = claimOf(previous);
  const claim = claimOf(bundle);
  const url = `urn:uuid:${randomUUID()}`;
  bundle.identifier = { system: 'https://clinic.example.org/submission', value: randomUUID() };
  claim.meta = { profile: [`${PAS}/profile-claim-update`] };
  claim.identifier = [{ system: 'urn:trnorg:9012345678', value: randomUUID() }];
  const relationship = (code: string) => ({ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/ex-relatedclaimrelationship', code }] });
  const [{ system = '', value = '' } = {}] = before.identifier ?? [];
  claim.related = [version === '2.2.1' ? { claim: { reference: previous.entry?.[0]?.fullUrl ?? '' }, relationship: relationship('prior') } : { claim: { identifier: { system, value } }, relationship: relationship('replaces') }];
  if (cancelAll && version === '2.2.1') claim.extension = [...(claim.extension ?? []), CANCEL];
  const flagged = (item: ClaimItem, flag: 'added' | 'changed'): ClaimItem => ({ ...item, extension: [...(item.extension ?? []), { url: `${PAS}/extension-infoChanged`, valueCode: flag }] });
  const kept = (claim.item ?? []).map((each): ClaimItem => {
    const item = { ...each, extension: (each.extension ?? []).filter(({ url: name }) => !name?.endsWith('infoChanged')) };
    if (cancelAll || cancel.includes(item.sequence ?? 0)) {
      const cancelled = { ...item, extension: [...item.extension.filter(({ url: name }) => name !== CANCEL.url), CANCEL], modifierExtension: [{ url: `${PAS}/modifierextension-infoCancelled`, valueBoolean: true }] };
      return flagged(cancelled, 'changed');
    }
    const quantity = change[item.sequence ?? 0];
    return quantity === undefined ? item : flagged({ ...item, quantity: { value: quantity, unit: 'months' } }, 'changed');
  });
  const [model] = kept;
  if (!model) throw new Error('the request has no item');
  const { modifierExtension: _cancelled, ...plain } = model;
  const unflagged = { ...plain, extension: (plain.extension ?? []).filter(({ url: name }) => !name?.endsWith('infoChanged')) };
  claim.item = [...kept, ...add.map((code, index) => flagged(anotherItem(unflagged, kept.length + 1 + index, code), 'added'))];
  const prior = version === '2.2.1' ? (previous.entry ?? []).slice(0, 1) : [];
  bundle.entry = [{ ...first, fullUrl: url, resource: claim }, ...structuredClone(prior), ...others.filter(({ resource }) => resource?.resourceType !== 'Claim')];
  return bundle;
}

/** The input of CDex `$submit-attachment`. */
export function attachmentParameters(trackingId: string, contents: readonly Resource[], { memberId = 'M100', final = true }: { readonly memberId?: string; readonly final?: boolean } = {}): Parameters {
  return {
    resourceType: 'Parameters',
    parameter: [
      { name: 'TrackingId', valueIdentifier: { value: trackingId } },
      { name: 'AttachTo', valueCode: 'preauthorization' },
      { name: 'OrganizationId', valueIdentifier: { system: 'http://hl7.org/fhir/sid/us-npi', value: '1245319599' } },
      { name: 'MemberId', valueIdentifier: { system: 'https://openpriorauth.org/member-id', value: memberId } },
      ...contents.map((resource) => ({ name: 'Attachment', part: [{ name: 'Code', valueCodeableConcept: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] } }, { name: 'Content', resource }] })),
      { name: 'Final', valueBoolean: final },
    ],
  };
}

export function inquiryBundle(item: Partial<ClaimItem> = {}, memberId = 'M100'): Bundle {
  const bundle = JSON.parse(readFileSync(join(FIXTURES, 'inquiry.json'), 'utf8').replaceAll('"M100"', `"${memberId}"`)) as Bundle;
  const [first] = claimOf(bundle).item ?? [];
  Object.assign(first ?? {}, item);
  return bundle;
}

export function claimOf(bundle: Bundle): Claim {
  const resource = bundle.entry?.[0]?.resource;
  if (resource?.resourceType !== 'Claim') throw new Error('the first entry is not the Claim');
  return resource;
}

export function claimResponseOf(bundle: Bundle): ClaimResponse {
  const resource = bundle.entry?.[0]?.resource;
  if (resource?.resourceType !== 'ClaimResponse') throw new Error('the first entry is not the ClaimResponse');
  return resource;
}

/** What an item's answer says, read here by hand and not by the code under test. */
export function readItem(item: ClaimResponseItem | undefined) {
  const action = item?.adjudication?.[0]?.extension?.find(({ url }) => url === `${PAS}/extension-reviewAction`)?.extension;
  const valueOf = (name: string) => item?.extension?.find(({ url }) => url === `${PAS}/${name}`);
  return {
    code: action?.find(({ url }) => url === `${PAS}/extension-reviewActionCode`)?.valueCodeableConcept?.coding?.[0]?.code,
    number: action?.find(({ url }) => url === 'number')?.valueString,
    reference: valueOf('extension-administrationReferenceNumber')?.valueString,
    period: valueOf('extension-itemPreAuthPeriod')?.valuePeriod,
    trace: valueOf('extension-itemTraceNumber')?.valueIdentifier?.value,
    authorized: valueOf('extension-itemAuthorizedDetail')?.extension?.find(({ url }) => url === 'quantity')?.valueQuantity,
  };
}

/** Named values of a notification's status Parameters. */
export function readNotification(bundle: Bundle | undefined) {
  const status = bundle?.entry?.[0]?.resource as Parameters | undefined;
  const named = (name: string) => status?.parameter?.find((parameter) => parameter.name === name);
  const event = named('notification-event')?.part;
  return {
    type: named('type')?.valueCode,
    status: named('status')?.valueCode,
    count: named('events-since-subscription-start')?.valueString,
    number: event?.find(({ name }) => name === 'event-number')?.valueString,
    focus: event?.find(({ name }) => name === 'focus')?.valueReference?.reference,
  };
}

export async function until(what: string, holds: () => boolean | Promise<boolean>, withinMs = 8_000): Promise<void> {
  for (const end = Date.now() + withinMs; Date.now() < end; await new Promise((done) => setTimeout(done, 25))) {
    if (await holds()) return;
  }
  throw new Error(`Not within ${withinMs} ms: ${what}`);
}
