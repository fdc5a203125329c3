import { randomUUID } from 'node:crypto';
import { exportJWK, generateKeyPair } from 'jose';
import { badBodies, DEEP_VALUE } from './bad-bodies.ts';
import { type BadRequest, PRIVATE_WORDS } from './bad-request.ts';
import { type RunningSystem, signedJwt } from './running-system.ts';

const FHIR = '/ehr/fhir';
const FHIR_JSON = 'application/fhir+json';

/** The sandbox EHR's FHIR API. */
export async function fhirRows({ base, keys }: RunningSystem): Promise<BadRequest[]> {
  const get = (what: string, path: string, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'GET', path: FHIR + path, from: 'loader', status, shape: 'outcome', ...more });
  const write = (what: string, method: string, path: string, body: unknown, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ ...get(what, path, status), method, body, type: FHIR_JSON, ...more });
  const patient = (fields: Readonly<Record<string, unknown>>) => ({ resourceType: 'Patient', ...fields });
  const transaction = (...entry: unknown[]) => ({ resourceType: 'Bundle', type: 'transaction', entry });
  const create = (resource: unknown) => ({ resource, request: { method: 'POST', url: 'Patient' } });
  const claims = { iss: `${base}/ehr/oauth`, aud: `${base}/ehr/fhir`, header: { typ: 'at+jwt' }, more: { client_id: 'open-prior-auth-panel', scope: 'patient/*.rs', patient: 'pat-oxygen' } };
  const stranger = await exportJWK((await generateKeyPair('ES384', { extractable: true })).privateKey);
  const refused = async (what: string, changes: object, key = keys.ehr): Promise<BadRequest> => get(what, '/Patient/pat-oxygen', 401, { from: 'nobody', headers: { authorization: `Bearer ${await signedJwt(key, { ...claims, ...changes })}` } });
  const limited = await signedJwt(keys.ehr, claims);
  const past = Math.floor(Date.now() / 1000) - 60;

  return [
    ...badBodies({ method: 'POST', path: FHIR, from: 'loader', shape: 'outcome', reads: FHIR_JSON, wrong: [400, 422] }),
    ...badBodies({ method: 'POST', path: `${FHIR}/Patient`, from: 'loader', shape: 'outcome', reads: FHIR_JSON, wrong: [400, 422] }),
    ...badBodies({ method: 'PUT', path: `${FHIR}/Patient/pat-plain`, from: 'loader', shape: 'outcome', reads: FHIR_JSON, wrong: [400, 422] }),
    get('no token', '/Patient/pat-oxygen', 401, { from: 'nobody' }),
    get('a token that is no JWT', '/Patient/pat-oxygen', 401, { from: 'nobody', headers: { authorization: 'Bearer x.y.z' } }),
    get('another scheme', '/Patient/pat-oxygen', 401, { from: 'nobody', headers: { authorization: 'Basic YTpi' } }),
    await refused('an expired token', { exp: past }),
    await refused('a token of another issuer', { iss: 'https://evil.example' }),
    await refused('a token for another audience', { aud: 'https://evil.example/fhir' }),
    await refused('a token with another key', {}, { ...stranger, kid: keys.ehr.kid ?? '' }),
    await refused('an id token as access token', { header: { typ: 'JWT' } }),
    await refused('a token without a client', { more: { scope: 'patient/*.rs' } }),
    get('another patient than the token’s', '/Patient/pat-mri', [403, 404], { from: 'nobody', headers: { authorization: `Bearer ${limited}` } }),
    { ...write('more than the scope allows', 'PUT', '/Patient/pat-oxygen', patient({ id: 'pat-oxygen' }), 403), from: 'nobody', headers: { authorization: `Bearer ${limited}` } },
    get('wrong method', '/metadata', [404, 405], { method: 'DELETE' }),
    get('wrong method', '/.well-known/smart-configuration', [404, 405], { method: 'DELETE' }),
    get('unknown type', '/Sandwich/1', 404),
    get('type in small letters', '/patient/pat-oxygen', 404),
    get('key of the prototype as type', '/__proto__/1', 404),
    get('constructor as type', '/constructor', 404),
    get('unknown id', '/Patient/nobody', 404),
    get('illegal id', '/Patient/a%20b', [400, 404]),
    get('null byte in the id', '/Patient/%00', [400, 404]),
    get('broken escape in the id', '/Patient/%zz', 400),
    get('traversal in the id', '/Patient/..%2f..%2fDevice', [400, 404]),
    get('unknown version', '/Patient/pat-oxygen/_history/999', 404),
    get('version that is no number', '/Patient/pat-oxygen/_history/x', 404),
    get('unknown operation', '/Patient/$everything', [400, 404, 405]),
    get('unknown search parameter', '/Patient?shoe-size=44', 400),
    get('key of the prototype as parameter', '/Patient?__proto__=1', 400),
    get('key of the prototype in a chain', '/Observation?constructor.name=x', 400),
    get('key of the prototype in _has', '/Patient?_has:Observation:__proto__:code=x', 400),
    get('count that is no number', '/Patient?_count=many', 400),
    get('negative count', '/Patient?_count=-1', 400),
    get('date that is none', '/Observation?date=ge99-99', 400),
    get('date far away', '/Observation?date=ge9999-99-99', 400),
    get('number that is none', '/RiskAssessment?probability=much', 400),
    get('quantity that is none', '/Observation?value-quantity=5%7Ca%7Cb%7Cc', [200, 400]),
    get('quantity out of range', '/Observation?value-quantity=1e999', [200, 400]),
    get('empty value', '/Patient?name=', 400),
    get('null byte in a value', '/Patient?name=%00', [200, 400]),
    get('broken escape in a value', '/Patient?name=%zz', [200, 400]),
    get('broken UTF-8 in a value', '/Patient?name=%ff%fe', [200, 400]),
    get('quotes in a value', "/Patient?name=';drop%20table%20x;--", 200),
    get('wild cards in a value', '/Patient?name:contains=%25%25%25_', 200),
    get('unknown modifier', '/Patient?name:sounds-like=x', 400),
    get('sort by nothing', '/Patient?_sort=shoe-size', 400),
    get('10,000 alternatives', `/Patient?_id=${'a,'.repeat(5_000)}a`, [200, 400]),
    get('600 chained filters', `/Observation?${'patient.name=x&'.repeat(600)}`, 400),
    get('300 includes', `/Observation?${'_include=Observation:patient&'.repeat(300)}`, 400),
    get('1,000 sort keys', `/Patient?_sort=${'family,'.repeat(1_000)}family`, 400),
    get('5,000 alternatives in a chain', `/Observation?patient.name=${'a,'.repeat(5_000)}a`, [200, 400]),
    get('a page that refers to itself', '/Patient?_include:iterate=*&_include:iterate=Patient:link&_revinclude:iterate=Patient:link', [200, 400]),
    get('offset out of range', '/Patient?_offset=9999999', 200),
    write('resource of another type', 'POST', '/Patient', { resourceType: 'Device' }, 400),
    write('unknown resourceType', 'POST', '/Patient', { resourceType: '__proto__' }, [400, 422]),
    write('unknown element', 'POST', '/Patient', patient({ shoeSize: PRIVATE_WORDS }), 422),
    write('element of the prototype', 'POST', '/Patient', '{"resourceType":"Patient","__proto__":{"polluted":true}}', 422),
    write('constructor as element', 'POST', '/Patient', patient({ constructor: {} }), 422),
    write('wrong type of an element', 'POST', '/Patient', patient({ name: PRIVATE_WORDS }), 422),
    write('null byte in text', 'POST', '/Patient', patient({ name: [{ family: `${PRIVATE_WORDS}\u0000` }] }), 422),
    write('null byte in a key', 'POST', '/Patient', patient({ name: [{ 'family\u0000': 'x' }] }), 422),
    write('half a surrogate pair', 'POST', '/Basic', '{"resourceType":"Basic","code":{"text":"\\ud800"}}', [201, 422]),
    write('lists 100,000 deep', 'POST', '/Basic', `{"resourceType":"Basic","code":{"extra":${DEEP_VALUE}}}`, 422),
    write('date that is none', 'POST', '/Basic', { resourceType: 'Basic', code: {}, created: PRIVATE_WORDS }, [201, 422]),
    write('text of 900 kB', 'POST', '/Basic', { resourceType: 'Basic', code: { text: 'x'.repeat(900_000) } }, [201, 413, 422]),
    write('id in the url is another', 'PUT', '/Patient/pat-plain', patient({ id: 'pat-empty' }), 400),
    write('If-Match that is no version', 'PUT', '/Patient/pat-plain', patient({ id: 'pat-plain' }), [400, 412], { headers: { 'if-match': 'abc' } }),
    write('If-Match of an old version', 'PUT', '/Patient/pat-plain', patient({ id: 'pat-plain' }), 412, { headers: { 'if-match': 'W/"999"' } }),
    write('If-None-Exist with an unknown parameter', 'POST', '/Patient', patient({}), 400, { headers: { 'if-none-exist': 'shoe-size=44' } }),
    write('search that is sent as JSON', 'POST', '/Patient/_search', {}, 415),
    write('search form of 2 MB', 'POST', '/Patient/_search', `name=${'x'.repeat(2_000_000)}`, 413, { type: 'application/x-www-form-urlencoded' }),
    write('search form with 5,000 fields', 'POST', '/Patient/_search', 'name=x&'.repeat(5_000), [200, 400, 413], { type: 'application/x-www-form-urlencoded' }),
    write('patch', 'PATCH', '/Patient/pat-plain', [], [405, 415]),
    write('create on the base', 'PUT', '', patient({}), [404, 405]),
    get('search of everything', '?name=x', [400, 404, 405]),
    write('delete without an id', 'DELETE', '/Patient', undefined, [400, 404, 405], { type: undefined }),
    write('delete of an unknown id', 'DELETE', '/Patient/nobody', undefined, 404, { type: undefined }),
    write('bundle of another type', 'POST', '', { resourceType: 'Bundle', type: 'collection' }, [400, 422]),
    write('transaction with null entries', 'POST', '', transaction(null), [400, 422]),
    write('transaction without requests', 'POST', '', transaction({ resource: patient({}) }), [400, 422]),
    write('transaction with an unknown method', 'POST', '', transaction({ resource: patient({}), request: { method: 'MERGE', url: 'Patient' } }), [400, 422]),
    write('transaction with a url elsewhere', 'POST', '', transaction({ request: { method: 'GET', url: 'https://evil.example/' } }), [400, 404, 422]),
    write('transaction with a url that is no text', 'POST', '', transaction({ request: { method: 'GET', url: 7 } }), [400, 422]),
    write('transaction that is half good', 'POST', '', transaction(create(patient({ active: true })), create(patient({ shoeSize: 1 }))), [400, 422]),
    write('transaction with the same id twice', 'POST', '', transaction(...[1, 2].map(() => ({ resource: patient({ id: 'twice' }), request: { method: 'PUT', url: 'Patient/twice' } }))), [400, 422]),
    write('transaction with a broken condition', 'POST', '', transaction({ resource: patient({}), request: { method: 'PUT', url: 'Patient?%zz=1' } }), [400, 412, 422]),
    write('transaction with lists 100,000 deep', 'POST', '', JSON.stringify(transaction({ request: { method: 'GET', url: 'Patient', extra: 'DEEP' } })).replace('"DEEP"', DEEP_VALUE), 422),
    write('transaction of 30,000 entries', 'POST', '', transaction(...Array.from({ length: 30_000 }, () => null)), [400, 413, 422]),
  ];
}

/** The JSON API behind the sandbox EHR's screens. */
export function ehrUiRows({ order }: RunningSystem): BadRequest[] {
  const get = (what: string, path: string, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'GET', path: `/ehr/ui${path}`, from: 'clinician', status, shape: 'error-reply', ...more });
  const post = (what: string, path: string, body: unknown, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ ...get(what, path, status), method: 'POST', body, ...more });
  const orders = '/patients/pat-oxygen/orders';
  const suggestions = '/patients/pat-oxygen/suggestions/accept';
  const feedback = { service: 'order-sign-crd', cardUuid: randomUUID(), outcome: 'accepted' };
  return [
    ...['/login', orders, `${orders}/select`, suggestions, '/orders/sign', '/orders/launch', '/feedback'].flatMap((path) => badBodies({ method: 'POST', path: `/ehr/ui${path}`, from: 'clinician', shape: 'error-reply', reads: 'application/json', wrong: [400, 422] })),
    ...['/session', '/patients', '/patients/pat-oxygen/chart', '/catalog'].map((path) => get('nobody signed in', path, 401, { from: 'nobody' })),
    ...[orders, `${orders}/select`, suggestions, '/orders/sign', '/orders/launch', '/feedback'].map((path) => post('nobody signed in', path, { order }, 401, { from: 'nobody' })),
    get('a forged cookie', '/session', 401, { from: 'nobody', headers: { cookie: `ehr_session=${'A'.repeat(43)}` } }),
    get('a cookie with odd letters', '/session', 401, { from: 'nobody', headers: { cookie: 'ehr_session=%00%zz; ehr_session; =; __proto__=1' } }),
    get('a cookie of 8 kB', '/session', 401, { from: 'nobody', headers: { cookie: `ehr_session=${'a'.repeat(8_000)}` } }),
    post('unknown user', '/login', { user: 'Practitioner/nobody' }, 422),
    post('a patient as user', '/login', { user: 'Patient/pat-oxygen' }, 422),
    post('a user with a null byte', '/login', { user: 'Practitioner/\u0000' }, 422),
    post('a user of the wrong type', '/login', { user: { $ne: null } }, 422),
    post('logout by a form', '/logout', 'a=b', 415, { type: 'application/x-www-form-urlencoded' }),
    get('null byte in the search', '/patients?q=%00', [200, 400, 422]),
    get('search as a list', '/patients?q[]=a&q[__proto__]=b', [200, 400, 422]),
    get('broken escape in the search', '/patients?q=%zz', [200, 400, 422]),
    get('a search of 8 kB', `/patients?q=${'a'.repeat(8_000)}`, [200, 400, 422]),
    get('unknown patient', '/patients/nobody/chart', 404),
    get('illegal patient id', '/patients/a%20b/chart', 404),
    get('null byte in the patient id', '/patients/%00/chart', 404),
    get('broken escape in the patient id', '/patients/%zz/chart', [400, 404]),
    get('unknown path', '/nothing', 404),
    get('wrong method', '/orders/sign', 404),
    post('wrong method', '/catalog', {}, [404, 405]),
    post('unknown catalog item', orders, { catalogId: PRIVATE_WORDS }, 422),
    post('key of the prototype as catalog item', orders, { catalogId: '__proto__' }, 422),
    post('negative quantity', orders, { catalogId: 'e1390', quantity: -1 }, 422),
    post('quantity as text', orders, { catalogId: 'e1390', quantity: 'many' }, 422),
    post('endless quantity', orders, '{"catalogId":"e1390","quantity":1e400}', 422, { type: 'application/json' }),
    post('unknown priority', orders, { catalogId: 'e1390', priority: PRIVATE_WORDS }, 422),
    post('note of the wrong type', orders, { catalogId: 'e1390', note: {} }, 422),
    post('note with a null byte', orders, { catalogId: 'e1390', note: `${PRIVATE_WORDS}\u0000` }, 422),
    post('reason of another patient', orders, { catalogId: 'e1390', reason: 'Condition/nothing' }, 422),
    post('order for nobody', '/patients/nobody/orders', { catalogId: 'e1390' }, [404, 422]),
    post('selecting with an id that is none', `${orders}/select`, { catalogId: 'e1390', id: '../x' }, 422),
    post('unknown suggestion', suggestions, { order, cardUuid: 'none', suggestionUuid: 'none' }, 404),
    post('unknown order', '/orders/sign', { order: 'DeviceRequest/nothing' }, 404),
    post('order that is no order', '/orders/sign', { order: 'Patient/pat-oxygen' }, [404, 422]),
    post('order elsewhere', '/orders/sign', { order: 'https://evil.example/DeviceRequest/1' }, 422),
    post('order with a null byte', '/orders/sign', { order: 'DeviceRequest/\u0000' }, 422),
    post('launch of an unknown order', '/orders/launch', { order: 'DeviceRequest/nothing' }, 404),
    post('feedback to another service', '/feedback', { ...feedback, service: '../../healthz' }, 422),
    post('feedback to an unknown service', '/feedback', { ...feedback, service: 'nothing' }, 502),
    post('feedback of an unknown outcome', '/feedback', { ...feedback, outcome: PRIVATE_WORDS }, 422),
    post('feedback with a null byte', '/feedback', { ...feedback, outcome: 'overridden', overrideReason: `${PRIVATE_WORDS}\u0000` }, [200, 422, 502]),
  ];
}
