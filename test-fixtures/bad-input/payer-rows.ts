import { randomUUID } from 'node:crypto';
import { requestBundle } from '#test-fixtures/payer-bench.ts';
import { badBodies, DEEP_VALUE } from './bad-bodies.ts';
import { type BadRequest, PRIVATE_WORDS } from './bad-request.ts';
import type { RunningSystem } from './running-system.ts';

const FHIR = '/payer/fhir';
const FHIR_JSON = 'application/fhir+json';

/** The payer's FHIR API and its review queue. */
export function payerRows({ base }: RunningSystem): BadRequest[] {
  const get = (what: string, path: string, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'GET', path: FHIR + path, from: 'backend', status, shape: 'outcome', ...more });
  const post = (what: string, path: string, body: unknown, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ ...get(what, path, status), method: 'POST', type: FHIR_JSON, body, ...more });
  const [submit, inquire, packages, errorLog, next, expand] = ['/Claim/$submit', '/Claim/$inquire', '/Questionnaire/$questionnaire-package', '/Questionnaire/$log-questionnaire-errors', '/Questionnaire/$next-question', '/ValueSet/$expand'] as const;
  const good = requestBundle({});
  const bundle = (changes: Readonly<Record<string, unknown>>) => ({ ...good, identifier: { system: 'urn:ietf:rfc:3986', value: `urn:uuid:${randomUUID()}` }, ...changes });
  const claim = (changes: Readonly<Record<string, unknown>>) => bundle({ entry: good.entry?.map((entry, i) => (i === 0 ? { ...entry, resource: { ...entry.resource, ...changes } } : entry)) });
  const patient = (changes: Readonly<Record<string, unknown>>) => bundle({ entry: good.entry?.map((entry) => (entry.resource?.resourceType === 'Patient' ? { ...entry, resource: { ...entry.resource, ...changes } } : entry)) });
  const parameters = (...parameter: unknown[]) => ({ resourceType: 'Parameters', parameter });
  const subscription = (changes: Readonly<Record<string, unknown>>) => ({
    resourceType: 'Subscription', status: 'requested', reason: 'x', criteria: 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic',
    channel: { type: 'rest-hook', endpoint: `${base}/pas/notifications/x`, payload: 'application/fhir+json' }, ...changes,
  });
  const channel = (changes: Readonly<Record<string, unknown>>) => subscription({ channel: { type: 'rest-hook', endpoint: `${base}/pas/notifications/x`, payload: 'application/fhir+json', ...changes } });

  return [
    ...[submit, inquire, '/$submit-attachment', packages, errorLog, next, expand, `/dtr-2.2${packages}`, `/dtr-2.2${next}`, '/Subscription'].flatMap((path) => [
      ...badBodies({ method: 'POST', path: FHIR + path, from: 'backend', shape: 'outcome', reads: FHIR_JSON, wrong: [400, 422] }),
      post('no token', path, {}, 401, { from: 'nobody' }),
      post('a forged token', path, {}, 401, { from: 'nobody', headers: { authorization: `Bearer ${'A'.repeat(43)}` } }),
      post('a token of the EHR', path, {}, 401, { from: 'loader' }),
      post('an answer as XML', path, {}, [400, 406], { headers: { accept: 'application/fhir+xml' } }),
      get('wrong method', path, [400, 404, 405], { method: path === '/Subscription' ? 'PATCH' : 'PUT' }),
    ]),
    ...[submit, inquire].flatMap((path) => [
      post('another resource', path, { resourceType: 'Patient', name: [{ family: PRIVATE_WORDS }] }, [400, 422]),
      post('a bundle of nothing', path, { resourceType: 'Bundle' }, 422),
      post('a bundle whose entries are no list', path, bundle({ entry: PRIVATE_WORDS }), [400, 422]),
      post('a bundle with null entries', path, bundle({ entry: [null] }), [400, 422]),
      post('entries without resources', path, bundle({ entry: [{ fullUrl: 'urn:uuid:x' }, {}] }), 422),
      post('a resource of the prototype', path, bundle({ entry: [{ fullUrl: 'urn:uuid:x', resource: { resourceType: '__proto__' } }] }), 422),
      post('a resource without a type', path, bundle({ entry: [{ fullUrl: 'urn:uuid:x', resource: { id: 'x' } }] }), 422),
      post('an identifier of the wrong type', path, bundle({ identifier: PRIVATE_WORDS }), 422),
      post('a claim with wrong types', path, claim({ item: PRIVATE_WORDS, created: {}, insurance: 7, patient: [] }), 422),
      post('items without anything', path, claim({ item: [{}, null] }), 422),
      post('a patient whose values have the wrong formats', path, patient({ birthDate: PRIVATE_WORDS, telecom: [{ system: 'phone', value: 7 }], name: [{ family: [PRIVATE_WORDS], period: { start: PRIVATE_WORDS } }], multipleBirthInteger: PRIVATE_WORDS, active: PRIVATE_WORDS }), 422),
      post('20,000 items', path, claim({ item: Array.from({ length: 20_000 }, (_, i) => ({ sequence: i + 1 })) }), [413, 422]),
      post('one item with 20,000 codes', path, claim({ item: [{ sequence: 1, productOrService: { coding: Array.from({ length: 20_000 }, () => ({ system: 'x', code: 'y' })) } }] }), [413, 422]),
      post('50,000 entries', path, bundle({ entry: Array.from({ length: 50_000 }, () => ({})) }), [413, 422]),
    ]),
    ...[submit, inquire, '/$submit-attachment'].flatMap((path) => badBodies({ method: 'POST', path: `/payer/pas-2.2.1/fhir${path}`, from: 'backend', shape: 'outcome', reads: FHIR_JSON, wrong: [400, 422] })),
    post('attachments with null parameters', '/$submit-attachment', parameters(null), 400),
    post('attachments of wrong types', '/$submit-attachment', parameters({ name: 'TrackingId', valueIdentifier: PRIVATE_WORDS }, { name: 7 }), 400),
    post('attachments for a number of nobody', '/$submit-attachment', parameters({ name: 'TrackingId', valueIdentifier: { value: PRIVATE_WORDS } }, { name: 'AttachTo', valueCode: 'preauthorization' }, { name: 'MemberId', valueIdentifier: { value: 'x' } }, { name: 'ProviderId', valueIdentifier: { value: 'x' } }, { name: 'Attachment', part: [{ name: 'Content', resource: { resourceType: 'Binary', contentType: 'text/plain' } }] }), 404),
    post('an update of a request that is related to itself', submit, claim({ related: [{ claim: { reference: good.entry?.[0]?.fullUrl } }] }), [200, 422]),
    post('an update that names wrong types', submit, claim({ related: [{ claim: { identifier: PRIVATE_WORDS } }] }), 422),
    post('a claim with lists 100,000 deep', submit, JSON.stringify(claim({ extra: 'DEEP' })).replace('"DEEP"', DEEP_VALUE), 400),
    post('an identifier with a null byte', submit, bundle({ identifier: { system: 'urn:x', value: `${PRIVATE_WORDS}\u0000` } }), 422),
    post('an identifier with half a surrogate pair', submit, bundle({ identifier: { system: 'urn:x', value: '\ud800' } }), 422),
    post('text with a null byte', submit, claim({ text: { status: 'generated', div: `<div xmlns="http://www.w3.org/1999/xhtml">${PRIVATE_WORDS}\u0000</div>` } }), 422),
    post('packages for another resource', packages, { resourceType: 'Bundle' }, 400),
    post('packages with null parameters', packages, parameters(null), 400),
    post('packages without a coverage', packages, parameters({ name: 'context', valueString: 'x' }), 400),
    post('packages with a coverage of another type', packages, parameters({ name: 'coverage', resource: { resourceType: 'Patient' } }), 400),
    post('packages with wrong types', packages, parameters({ name: 'coverage', resource: PRIVATE_WORDS }, { name: 'order', resource: 7 }, { name: 7 }, { name: 'changedsince', valueInstant: 'yesterday' }), 400),
    post('packages for an unknown questionnaire', packages, parameters({ name: 'coverage', resource: { resourceType: 'Coverage', id: 'c', status: 'active' } }, { name: 'questionnaire', valueCanonical: 'https://payer.example/Questionnaire/nothing' }), [200, 404, 422]),
    post('packages with a coverage of wrong types', packages, parameters({ name: 'coverage', resource: { resourceType: 'Coverage', id: 7, beneficiary: { reference: 7 }, extension: PRIVATE_WORDS } }, { name: 'questionnaire', valueCanonical: 'https://payer.example/Questionnaire/nothing' }), 400),
    post('packages with an order of wrong types', packages, parameters({ name: 'coverage', resource: { resourceType: 'Coverage', id: 'c', beneficiary: PRIVATE_WORDS } }, { name: 'order', resource: { resourceType: 'ServiceRequest', id: 'o', extension: [{ extension: PRIVATE_WORDS }], code: { coding: PRIVATE_WORDS } } }), 400),
    post('a next question of wrong types', next, { resourceType: 'QuestionnaireResponse', status: 'in-progress', questionnaire: '#x', contained: [{ resourceType: 'Questionnaire', id: 'x', derivedFrom: PRIVATE_WORDS, item: [null] }], item: [{ linkId: 7, answer: PRIVATE_WORDS }] }, 400),
    post('a next question with null contained', next, { resourceType: 'QuestionnaireResponse', status: 'in-progress', questionnaire: '#x', contained: [null] }, 400),
    get('an expansion without url', expand, 400),
    get('an expansion of something unknown', `${expand}?url=${encodeURIComponent(PRIVATE_WORDS)}`, 404),
    get('an expansion with a count that is none', `${expand}?url=x&count=${'9'.repeat(30)}`, 400),
    post('an expansion with null parameters', expand, parameters(null), 400),
    post('an error report without parts', errorLog, parameters(), [204, 400]),
    post('an error report of wrong types', errorLog, parameters({ name: 'questionnaire', valueCanonical: 7 }, { name: 'OperationOutcome', resource: { issue: PRIVATE_WORDS } }), [204, 400]),
    get('an unknown type', '/Sandwich', 404),
    get('a type of the prototype', '/__proto__', 404),
    get('an unknown operation', '/Claim/$guess', 404),
    get('an unknown questionnaire', '/Questionnaire/nothing', 404),
    get('a questionnaire with a null byte', '/Questionnaire/%00', 404),
    get('a broken escape', '/Questionnaire/%zz', [400, 404]),
    get('a search without url', '/Questionnaire', 400),
    get('a search with two urls', '/Questionnaire?url=a&url=b', 400),
    get('an unknown library', '/Library/nothing', 404),
    get('no token', '/Questionnaire/home-oxygen', 401, { from: 'nobody' }),
    get('metadata as XML', '/metadata', 406, { from: 'nobody', headers: { accept: 'application/fhir+xml' } }),
    get('wrong method', '/metadata', [404, 405], { method: 'DELETE', from: 'nobody' }),
    get('wrong method', '/.well-known/smart-configuration', [404, 405], { method: 'POST', from: 'nobody', body: {} }),
    get('an unknown subscription', `/Subscription/${randomUUID()}`, 404),
    get('a subscription that is no id', '/Subscription/1', 404),
    get('a subscription with a null byte', '/Subscription/%00', 404),
    get('the status of an unknown subscription', `/Subscription/${randomUUID()}/$status`, 404),
    get('the events of an unknown subscription', `/Subscription/${randomUUID()}/$events?eventsSinceNumber=x`, [400, 404]),
    get('delete of an unknown subscription', `/Subscription/${randomUUID()}`, 404, { method: 'DELETE' }),
    post('update of an unknown subscription', `/Subscription/${randomUUID()}`, subscription({}), 404, { method: 'PUT' }),
    post('a subscription to another topic', '/Subscription', subscription({ criteria: 'Claim?status=active' }), [400, 422]),
    post('a subscription that leads elsewhere', '/Subscription', channel({ endpoint: 'https://evil.example/' }), [400, 422]),
    post('a subscription that leads to the inside', '/Subscription', channel({ endpoint: 'http://169.254.169.254/latest' }), [400, 422]),
    post('a subscription with a header that splits', '/Subscription', channel({ header: ['Authorization: Bearer x\r\nX-Evil: 1'] }), [400, 422]),
    post('a subscription with a null byte', '/Subscription', channel({ header: ['Authorization: Bearer \u0000'] }), [400, 422]),
    post('a subscription of wrong types', '/Subscription', subscription({ channel: PRIVATE_WORDS }), [400, 422]),
    ...['/queue', `/queue/${randomUUID()}`, '/pas-metrics'].map((path): BadRequest => ({ what: 'review without its token', method: 'GET', path: `/payer/review${path}`, status: 401, shape: 'error-reply' })),
    ...['decision', 'claim', 'release', 'note', 'ask'].map((step): BadRequest => ({ what: `a ${step} without the reviewer’s token`, method: 'POST', path: `/payer/review/queue/${randomUUID()}/${step}`, body: { decision: 'approve' }, status: 401, shape: 'error-reply' })),
    { what: 'an unknown path', method: 'GET', path: '/payer/nothing', status: 404, shape: 'outcome' },
  ];
}
