import { randomUUID } from 'node:crypto';
import { generateKeyPair, exportJWK } from 'jose';
import { badBodies, DEEP_VALUE } from './bad-bodies.ts';
import { type BadRequest, PRIVATE_WORDS } from './bad-request.ts';
import { hookToken, type RunningSystem, signedJwt } from './running-system.ts';

const SERVICE = '/cds-services/order-sign-crd';

/** CDS Hooks 2.0: bad calls, and clients that are not who they say. */
export async function cdsRows({ base, keys, send }: RunningSystem): Promise<BadRequest[]> {
  const access_token = await signedJwt(keys.ehr, { iss: `${base}/ehr/oauth`, aud: `${base}/ehr/fhir`, header: { typ: 'at+jwt' }, more: { client_id: 'cds', scope: 'patient/*.rs user/*.rs', patient: 'pat-oxygen' } });
  const call = (changes: Readonly<Record<string, unknown>> = {}, context: Readonly<Record<string, unknown>> = {}) => ({
    hook: 'order-sign', hookInstance: randomUUID(), fhirServer: `${base}/ehr/fhir`, fhirAuthorization: { access_token, token_type: 'Bearer', expires_in: 100, scope: 'x', subject: 'x' },
    context: { userId: 'Practitioner/prac-osei', patientId: 'pat-oxygen', draftOrders: { resourceType: 'Bundle', type: 'collection', entry: [{ resource: { resourceType: 'DeviceRequest', id: 'o1', subject: { reference: 'Patient/pat-oxygen' } } }] }, ...context },
    ...changes,
  });
  const post = (what: string, body: unknown, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'POST', path: SERVICE, from: 'hook', body, status, shape: 'outcome', ...more });
  const refused = (what: string, token: string, path = SERVICE): BadRequest => ({ what, method: 'POST', path, body: call(), headers: { authorization: token }, status: 401, shape: 'empty' });
  const stranger = await exportJWK((await generateKeyPair('ES384', { extractable: true })).privateKey);
  const spent = await hookToken(keys.hooks, base, SERVICE);
  await send({ method: 'POST', path: SERVICE, body: {}, headers: { authorization: `Bearer ${spent}` } });
  const signed = async (changes: Parameters<typeof hookToken>[3], key = keys.hooks) => `Bearer ${await hookToken(key, base, SERVICE, changes)}`;
  const now = Math.floor(Date.now() / 1000);
  const unsigned = [{ alg: 'none', typ: 'JWT' }, { iss: `${base}/ehr`, aud: base + SERVICE, exp: now + 100, iat: now, jti: 'x' }].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
  const order = (fields: Readonly<Record<string, unknown>>) => call({}, { draftOrders: { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'DeviceRequest', id: 'o1', ...fields } }] } });
  const [feedback] = [{ card: 'c', outcome: 'overridden', outcomeTimestamp: new Date().toISOString() }];

  return [
    ...badBodies({ method: 'POST', path: SERVICE, from: 'hook', shape: 'outcome', reads: 'application/json', wrong: [400, 422] }),
    ...badBodies({ method: 'POST', path: `${SERVICE}/feedback`, from: 'hook', shape: 'outcome', reads: 'application/json', wrong: [400, 422] }),
    post('another hook', call({ hook: 'patient-view' }), 422),
    post('hookInstance that is no UUID', call({ hookInstance: PRIVATE_WORDS }), 422),
    post('fhirServer that is no URL', call({ fhirServer: 'javascript:alert(1)' }), 422),
    post('context of the wrong type', call({ context: PRIVATE_WORDS }), 422),
    post('patient that is no id', call({}, { patientId: `${PRIVATE_WORDS} ../..` }), 422),
    post('user of another type', call({}, { userId: 'Patient/pat-oxygen' }), 422),
    post('draftOrders that are a list', call({}, { draftOrders: [] }), 422),
    post('no draft orders', call({}, { draftOrders: { resourceType: 'Bundle', entry: [] } }), 422),
    post('an order without an id', call({}, { draftOrders: { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'DeviceRequest' } }] } }), 422),
    post('prefetch of the wrong type', call({ prefetch: { patient: 7 } }), 422),
    post('token without a FHIR server', call({ fhirServer: undefined, fhirAuthorization: { access_token: 'x', token_type: 'Bearer' } }), 422),
    // CRD: what a service cannot read in an order must not stop the order from being signed.
    ...[
      ['an order whose fields have the wrong types', { codeCodeableConcept: 'x', subject: 7, insurance: 'x', extension: {}, authoredOn: {} }],
      ['an order with a code of the wrong type', { codeCodeableConcept: { coding: 'E1390' } }],
      ['an order with lists of nothing', { codeCodeableConcept: { coding: [null] }, insurance: [null], extension: [null] }],
      ['an order with a null byte', { codeCodeableConcept: { coding: [{ system: 'http://www.cms.gov/Medicare/Coding/HCPCSReleaseCodeSets', code: 'E1390\u0000' }] } }],
      ['an order with half a surrogate pair', { codeCodeableConcept: { text: '\ud800' } }],
      ['an order with keys of the prototype', JSON.parse('{"__proto__":{"polluted":true},"extension":[{"url":"__proto__"}]}')],
    ].map(([what, fields]) => post(String(what), order(fields as Readonly<Record<string, unknown>>), [200, 422])),
    post('prefetch with resources of the wrong types', call({ prefetch: { patient: { resourceType: 'Patient', name: 7 }, coverage: { resourceType: 'Bundle', entry: [{ resource: { resourceType: 'Coverage', payor: 'x' } }, null, { resource: null }] }, device: { resourceType: 'Bundle', entry: 'x' } } }), [200, 422]),
    post('an order with lists 100,000 deep', JSON.stringify(order({ extra: 'DEEP' })).replace('"DEEP"', DEEP_VALUE), 422, { type: 'application/json' }),
    post('prefetch with lists 100,000 deep', JSON.stringify(call({ prefetch: { patient: { resourceType: 'Patient', extra: 'DEEP' } } })).replace('"DEEP"', DEEP_VALUE), [200, 422], { type: 'application/json' }),
    post('configuration of the wrong types', call({ extension: { 'davinci-crd.configuration': { 'coverage-info': 'x', risk: [] } } }), [200, 422]),
    { ...post('no token, another FHIR server', call({ fhirServer: 'https://ehr.example/fhir' }), 401), from: 'nobody', shape: 'empty' },
    refused('a token that is no JWT', 'Bearer abc'),
    refused('a scheme that is not Bearer', 'Basic YTpi'),
    refused('an expired JWT', await signed({ exp: now - 120 })),
    refused('a JWT that lives too long', await signed({ exp: now + 86_400 })),
    refused('a JWT of another issuer', await signed({ iss: 'https://evil.example' })),
    refused('a JWT for another endpoint', await signed({ aud: `${base}${SERVICE}/feedback` })),
    refused('a JWT with another key', await signed({}, { ...stranger, kid: keys.hooks.kid ?? '' })),
    refused('a JWT that names its own key set', await signed({ header: { jku: 'https://evil.example/jwks.json' } })),
    refused('an unsigned JWT', `Bearer ${unsigned}.`),
    refused('an unsigned JWT with a signature of one letter', `Bearer ${unsigned}.A`),
    refused('a JWT that was used before', `Bearer ${spent}`),
    { what: 'feedback without a token', method: 'POST', path: `${SERVICE}/feedback`, body: { feedback: [feedback] }, status: 401, shape: 'empty' },
    { ...post('feedback of an unknown outcome', { feedback: [{ ...feedback, outcome: PRIVATE_WORDS }] }, 422), path: `${SERVICE}/feedback` },
    { ...post('feedback without a date', { feedback: [{ ...feedback, outcomeTimestamp: 'yesterday' }] }, 422), path: `${SERVICE}/feedback` },
    { ...post('feedback with a null byte', { feedback: [{ ...feedback, card: 'a\u0000', overrideReason: { userComment: `${PRIVATE_WORDS}\u0000` } }] }, [200, 400, 422]), path: `${SERVICE}/feedback` },
    { ...post('feedback with half a surrogate pair', { feedback: [{ ...feedback, overrideReason: { userComment: '\ud800' } }] }, [200, 400, 422]), path: `${SERVICE}/feedback` },
    { what: 'an unknown service', method: 'POST', path: '/cds-services/nothing', body: {}, status: 404, shape: 'outcome' },
    { what: 'a broken escape', method: 'POST', path: '/cds-services/%zz', body: {}, status: [400, 404], shape: 'outcome' },
    ...['GET', 'PUT', 'DELETE'].map((method): BadRequest => ({ what: 'wrong method', method, path: SERVICE, status: [404, 405], shape: 'outcome' })),
    ...['POST', 'DELETE'].map((method): BadRequest => ({ what: 'wrong method', method, path: '/cds-services', status: [404, 405], shape: 'outcome' })),
  ];
}
