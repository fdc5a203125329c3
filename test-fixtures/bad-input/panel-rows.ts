import { randomUUID } from 'node:crypto';
import { PANEL_API } from '#prior-auth/panel-api.ts';
import { badBodies, DEEP_VALUE } from './bad-bodies.ts';
import { type BadRequest, PRIVATE_WORDS } from './bad-request.ts';
import type { RunningSystem } from './running-system.ts';

/** The panel: sign-in, each message of its API, and the payer's notifications to the server behind it. */
export function panelRows({ base, form: { formId, version, response }, headersOf, usedCallbacks }: RunningSystem): BadRequest[] {
  const api = '/panel/api';
  const ask = (what: string, path: string, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'GET', path: api + path, from: 'panel', status, shape: 'error-reply', ...more });
  const post = (what: string, path: string, body: unknown, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ ...ask(what, path, status), method: 'POST', body, ...more });
  const save = (what: string, changed: Readonly<Record<string, unknown>>, status: BadRequest['status'] = 400): BadRequest =>
    post(what, PANEL_API.saveForm.path, { formId, version, response, ...changed }, status, { method: 'PUT' });
  const choose = (what: string, changed: Readonly<Record<string, unknown>>, status: BadRequest['status'] = 400): BadRequest => post(what, PANEL_API.chooseSubmission.path, { caseVersion: 1, further: [], include: [], exclude: [], diagnoses: {}, ...changed }, status, { method: 'PUT' });
  const items = (item: unknown) => ({ response: { ...response, item } });
  const cookie = headersOf.panel['cookie'] ?? '';
  const launch = (what: string, query: string, status: BadRequest['status'] = 400): BadRequest => ({ what, method: 'GET', path: `/panel/launch${query}`, status, shape: 'page' });

  return [
    ...Object.values(PANEL_API).flatMap(({ method, path }) => [
      ask('no session', path, 401, { method, from: 'nobody', ...(method === 'GET' ? {} : { body: {} }) }),
      ask('unknown session', path, 401, { method, from: 'nobody', headers: { 'x-panel-session': randomUUID(), cookie }, ...(method === 'GET' ? {} : { body: {} }) }),
      ask('wrong method', path, [404, 405], { method: method === 'GET' ? 'DELETE' : 'PATCH' }),
    ]),
    ask('a session without its cookie', '/session', 401, { headers: { cookie: '' } }),
    ask('a forged cookie', '/session', 401, { headers: { cookie: cookie.replace(/=.*/, `=${'A'.repeat(43)}`) } }),
    ask('a session that is no id', '/session', 401, { headers: { 'x-panel-session': "'; drop table x; --" } }),
    ask('a session of the prototype', '/session', 401, { headers: { 'x-panel-session': '__proto__' } }),
    ...[PANEL_API.populateForm, PANEL_API.saveForm, PANEL_API.completeForm, PANEL_API.nextQuestion, PANEL_API.submit, PANEL_API.chooseSubmission, PANEL_API.changeRequest, PANEL_API.recordDecision, PANEL_API.switchToManual, PANEL_API.answerAsk, PANEL_API.recordUse, PANEL_API.cancelRequest, PANEL_API.handOver].flatMap(({ method, path }) =>
      badBodies({ method, path: api + path, from: 'panel', shape: 'error-reply', reads: 'application/json', wrong: 400 }),
    ),
    ask('an unknown message', '/nothing', 404),
    ask('a broken escape', '/%zz', [400, 404]),
    post('an unknown form', PANEL_API.populateForm.path, { formId: PRIVATE_WORDS }, 404),
    post('a form with a null byte', PANEL_API.populateForm.path, { formId: 'a\u0000' }, 404),
    post('a form id of the wrong type', PANEL_API.populateForm.path, { formId: { $gt: '' } }, 400),
    save('an old version', { version: 0 }, 409),
    save('a version that is no whole number', { version: 1.5 }),
    save('a version out of range', { version: 1e300 }, [400, 409]),
    save('a form with a null byte', { formId: 'a\u0000' }, 404),
    save('another resource', { response: { resourceType: 'Patient' } }),
    save('items that are a text', items(PRIVATE_WORDS)),
    save('items that are null', items([null])),
    save('an item without linkId', items([{ answer: [] }])),
    save('answers of the wrong type', items([{ linkId: 'x', answer: 'yes' }])),
    save('values of the wrong types', items([{ linkId: 'x', answer: [{ valueDecimal: PRIVATE_WORDS, valueCoding: 7, valueDate: {} }] }])),
    save('a null byte in an answer', items([{ linkId: 'x', answer: [{ valueString: `${PRIVATE_WORDS}\u0000` }] }])),
    save('a null byte in a key', items([{ linkId: 'x', 'a\u0000': 1 }])),
    save('half a surrogate pair in an answer', items([{ linkId: 'x', answer: [{ valueString: `${PRIVATE_WORDS}\ud800` }] }])),
    { ...save('lists 100,000 deep in an item', {}), body: JSON.stringify({ formId, version, ...items([{ linkId: 'x', extra: 'DEEP' }]) }).replace('"DEEP"', DEEP_VALUE), type: 'application/json' },
    save('items 200 deep', items([nest(200)])),
    post('complete an old version', PANEL_API.completeForm.path, { formId, version: 0, response }, [409, 422]),
    post('complete with gaps', PANEL_API.completeForm.path, { formId, version: 1e15, response: { resourceType: 'QuestionnaireResponse', status: 'completed' } }, [409, 422]),
    post('next questions of a form that has none', PANEL_API.nextQuestion.path, { formId, version, response }, 409),
    post('next questions of an unknown form', PANEL_API.nextQuestion.path, { formId: PRIVATE_WORDS, version, response }, 404),
    ask('options of an unknown form', `${PANEL_API.searchOptions.path}?formId=${encodeURIComponent(PRIVATE_WORDS)}&linkId=a&filter=`, 404),
    ask('options without a question', `${PANEL_API.searchOptions.path}?formId=a&filter=x`, 400),
    ask('options by a very long word', `${PANEL_API.searchOptions.path}?formId=a&linkId=a&filter=${'x'.repeat(101)}`, 400),
    ask('a bundle of an unknown form', `${PANEL_API.readResponseBundle.path}?formId=nothing`, 404),
    post('submit before the forms are complete', PANEL_API.submit.path, { caseVersion: 1 }, 409),
    post('submit of another version', PANEL_API.submit.path, { caseVersion: -1 }, 409),
    post('submit of a version as text', PANEL_API.submit.path, { caseVersion: '1' }, 400),
    ...[PANEL_API.holdRequest, PANEL_API.releaseRequest, PANEL_API.resendRequest, PANEL_API.withdrawRequest, PANEL_API.checkNow, PANEL_API.switchBack, PANEL_API.requestAgain, PANEL_API.renewAuthorization, PANEL_API.cancelRequest].flatMap(({ path }) => [
      post('a step that may not follow', path, { caseVersion: 1 }, 409),
      post('a step of a version that is a list', path, { caseVersion: [1] }, 400),
    ]),
    choose('an old version', { caseVersion: 0 }, 409),
    choose('another patient’s order', { further: ['ServiceRequest/nothing'] }, 404),
    choose('an order that is a patient', { further: ['Patient/pat-mri'] }),
    choose('51 orders', { further: Array.from({ length: 51 }, (_each, index) => `ServiceRequest/${index}`) }),
    choose('entries that climb', { include: ['Observation/../x'] }),
    choose('201 entries', { exclude: Array.from({ length: 201 }, (_each, index) => `Observation/${index}`) }),
    choose('a diagnosis that is none', { diagnoses: { 'Condition/1': PRIVATE_WORDS } }),
    choose('diagnoses of the prototype', { diagnoses: JSON.parse('{"__proto__":"J44.9"}') }, [400, 409]),
    post('a change of nothing', PANEL_API.changeRequest.path, { caseVersion: 1, change: { cancel: [], change: [], add: [] } }, 409),
    post('a change of item 0', PANEL_API.changeRequest.path, { caseVersion: 1, change: { cancel: [0], change: [], add: [] } }, 400),
    post('a quantity below zero', PANEL_API.changeRequest.path, { caseVersion: 1, change: { cancel: [], change: [{ sequence: 1, quantity: { value: -1 } }], add: [] } }, 400),
    post('a day that is none', PANEL_API.changeRequest.path, { caseVersion: 1, change: { cancel: [], change: [{ sequence: 1, serviced: { date: '2026-02-30' } }], add: [] } }, 400),
    post('by hand since no day', PANEL_API.switchToManual.path, { caseVersion: 1, submittedAt: 'yesterday' }, 400),
    post('by hand with a null byte', PANEL_API.switchToManual.path, { caseVersion: 1, reference: 'a\u0000' }, 400),
    post('a decision on nothing', PANEL_API.recordDecision.path, { caseVersion: 1, decision: { items: [], learnedBy: 'telephone' } }, 400),
    post('a decision learned in a dream', PANEL_API.recordDecision.path, { caseVersion: 1, decision: { items: [{ kind: 'approved', sequence: 1 }], learnedBy: 'dream' } }, 400),
    post('a decision that nobody may enter', PANEL_API.recordDecision.path, { caseVersion: 1, decision: { items: [{ kind: 'approved', sequence: 1 }], learnedBy: 'telephone' } }, 409),
    post('an answer to nothing', PANEL_API.answerAsk.path, { caseVersion: 1, askId: PRIVATE_WORDS, references: [], files: [], note: 'x' }, 400),
    post('a file that is a program', PANEL_API.answerAsk.path, { caseVersion: 1, askId: 'x', references: [], files: [{ title: 'a', contentType: 'application/x-msdownload', data: 'TVo=' }] }, 400),
    post('a file that is not of its kind', PANEL_API.answerAsk.path, { caseVersion: 1, askId: 'x', references: [], files: [{ title: 'a', contentType: 'application/pdf', data: 'TVo=' }] }, 400),
    post('a file that is no base64', PANEL_API.answerAsk.path, { caseVersion: 1, askId: 'x', references: [], files: [{ title: 'a', contentType: 'text/plain', data: '%%%%' }] }, 400),
    post('a file of 11 MB', PANEL_API.answerAsk.path, { caseVersion: 1, askId: 'x', references: [], files: [{ title: 'a', contentType: 'text/plain', data: 'A'.repeat(11_000_000) }] }, 400),
    post('a form for nothing', PANEL_API.openAskForm.path, { caseVersion: 1, askId: '' }, 400),
    post('a form that nobody asked for', PANEL_API.openAskForm.path, { caseVersion: 1, askId: '__proto__' }, 400),
    post('use of no number of units', PANEL_API.recordUse.path, { caseVersion: 1, sequence: 1, quantity: 1e300, usedOn: '2026-11-22' }, 400),
    post('use on no day', PANEL_API.recordUse.path, { caseVersion: 1, sequence: 1, quantity: 1, usedOn: 'soon' }, 400),
    post('use of what is not authorized', PANEL_API.recordUse.path, { caseVersion: 1, sequence: 1, quantity: 1, usedOn: '2026-11-22' }, 409),
    ask('no reference', PANEL_API.readSource.path, 400),
    ask('a reference elsewhere', `${PANEL_API.readSource.path}?reference=https://evil.example/Patient/1`, 400),
    ask('a reference that climbs', `${PANEL_API.readSource.path}?reference=Patient/../../x`, 400),
    ask('two references', `${PANEL_API.readSource.path}?reference=Patient/a&reference=Patient/b`, 400),
    ask('another patient’s record', `${PANEL_API.readSource.path}?reference=Patient/pat-mri`, 404),
    ask('an entry that is not there', `${PANEL_API.readSource.path}?reference=Condition/nothing`, 404),
    ask('a type that is none', `${PANEL_API.readSource.path}?reference=Sandwich/1`, [400, 404, 502]),
    save('a settlement that is a text', { settled: 'yes' }),
    post('complete with a statement that is a list', PANEL_API.completeForm.path, { formId, version, response, statement: [] }, 400),
    post('complete with an empty statement', PANEL_API.completeForm.path, { formId, version, response, statement: '   ' }, 400),
    post('complete with a statement of 8 kB', PANEL_API.completeForm.path, { formId, version, response, statement: 'a'.repeat(8_000) }, 400),
    post('complete with a statement with a null byte', PANEL_API.completeForm.path, { formId, version, response, statement: 'a\u0000' }, [400, 409, 422]),
    ask('colleagues without a search', PANEL_API.listColleagues.path, 400),
    ask('colleagues by a search of 8 kB', `${PANEL_API.listColleagues.path}?q=${'a'.repeat(8_000)}`, 400),
    ask('colleagues by two searches', `${PANEL_API.listColleagues.path}?q=a&q=b`, 400),
    ask('colleagues by a null byte', `${PANEL_API.listColleagues.path}?q=%00`, [200, 400]),
    ask('colleagues by wild cards', `${PANEL_API.listColleagues.path}?q=%25,$|`, 200),
    post('hand over to nobody', PANEL_API.handOver.path, { note: '' }, 400),
    post('hand over to a patient', PANEL_API.handOver.path, { to: 'Patient/pat-mri', note: '' }, 400),
    post('hand over to somebody elsewhere', PANEL_API.handOver.path, { to: 'https://evil.example/Practitioner/1', note: '' }, 400),
    post('hand over to somebody unknown', PANEL_API.handOver.path, { to: 'Practitioner/nothing', note: PRIVATE_WORDS }, 400),
    post('hand over with a note with a null byte', PANEL_API.handOver.path, { to: 'Practitioner/nothing', note: 'a\u0000' }, 400),
    post('take over what nobody handed over', PANEL_API.takeOver.path, {}, 404),
    post('undo what nobody handed over', PANEL_API.cancelHandOver.path, {}, 404),
    ask('the packet without a session', '/packet.pdf', 401, { from: 'nobody' }),
    ask('the packet by another’s session', '/packet.pdf', 401, { from: 'nobody', headers: { 'x-panel-session': randomUUID(), cookie } }),
    ask('the packet by POST', '/packet.pdf', [404, 405], { method: 'POST', body: {} }),
    launch('no parameters', ''),
    launch('no launch', `?iss=${encodeURIComponent(`${base}/ehr/fhir`)}`),
    launch('an iss that is not registered', '?iss=https://evil.example/fhir&launch=x'),
    launch('an iss that is no URL', '?iss=javascript:alert(1)&launch=x'),
    launch('an iss that only begins like the EHR’s', `?iss=${encodeURIComponent(`${base}/ehr/fhir.evil.example`)}&launch=x`),
    launch('two iss', `?iss=a&iss=b&launch=x`),
    launch('a launch of 8 kB', `?iss=${encodeURIComponent(`${base}/ehr/fhir`)}&launch=${'a'.repeat(8_000)}`),
    launch('broken escapes', '?iss=%zz&launch=%'),
    { ...launch('by POST', ''), method: 'POST', status: [404, 405], shape: 'error-reply' },
    ...usedCallbacks.flatMap(({ path, cookie }): BadRequest[] => [
      { what: 'a code and state used before, by the same browser', method: 'GET', path, headers: { cookie }, status: 400, shape: 'page' },
      { what: 'a code and state of another browser', method: 'GET', path, status: 400, shape: 'page' },
    ]),
    ...['/panel/callback', '/work/callback'].flatMap((path): BadRequest[] => {
      const back = (what: string, query: string): BadRequest => ({ what, method: 'GET', path: path + query, status: 400, shape: 'page' });
      return [
        back('no parameters', ''),
        back('no code', '?state=x'),
        back('an unknown state', '?state=unknown&code=x'),
        back('a state with a null byte', '?state=%00&code=%00'),
        back('a state twice', '?state=a&state=b&code=c'),
        back('a code of 8 kB', `?state=a&code=${'c'.repeat(8_000)}`),
        back('an error of the EHR', '?error=server_error&error_description=%3Cscript%3E'),
        back('a refusal of the user', '?error=access_denied&state=x'),
        { ...back('by POST', '?state=a&code=b'), method: 'POST', status: [404, 405], shape: 'error-reply' },
      ];
    }),
  ];
}

/** The worklist. */
export function workRows({ caseId }: RunningSystem): BadRequest[] {
  const ask = (what: string, path: string, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'GET', path: `/work/api${path}`, from: 'staff', status, shape: 'error-reply', ...more });
  return [
    ...['/session', '/cases', `/cases/${caseId}`].flatMap((path) => [
      ask('nobody signed in', path, 401, { from: 'nobody' }),
      ask('a forged cookie', path, 401, { from: 'nobody', headers: { cookie: `work_session=${randomUUID()}.${'A'.repeat(43)}` } }),
      ask('a cookie that is no session', path, 401, { from: 'nobody', headers: { cookie: 'work_session=%00.%zz' } }),
      ask('wrong method', path, [404, 405], { method: 'POST', body: {} }),
    ]),
    ask('an unknown case', `/cases/${randomUUID()}`, 404),
    ask('a case that is no id', '/cases/1', 404),
    ask('a case with a null byte', '/cases/%00', 404),
    ask('a case with a broken escape', '/cases/%zz', [400, 404]),
    ask('an unknown state', '/cases?state=lost', 400),
    ask('a state of the prototype', '/cases?state=__proto__', 400),
    ask('an unknown order', '/cases?sort=name', 400),
    ask('a place that is none', '/cases?after=abc', 400),
    ask('a place with another type', `/cases?after=${Buffer.from('[1,2]').toString('base64url')}`, 400),
    ask('a place with a date that is none', `/cases?after=${Buffer.from(JSON.stringify(['2026-99-99T99:99:99Z', randomUUID()])).toString('base64url')}`, 400),
    ask('handed over or not', '/cases?handedOver=maybe', 400),
    ask('a search of 8 kB', `/cases?q=${'a'.repeat(8_000)}`, 400),
    ask('a search with a null byte', '/cases/search', 400, { method: 'POST', body: { q: '\u0000' } }),
    ask('a search twice', '/cases?q=a&q=b', 400),
    ask('a search in the address', '/cases?q=a', 400),
    ask('a search with wild cards', '/cases/search', 200, { method: 'POST', body: { q: '%%_\\ \' | !' } }),
    ask('an unknown path', '/nothing', 404),
    ask('a place of another order', `/cases?sort=touch&after=${Buffer.from(JSON.stringify(['clock', 1, 'infinity', randomUUID()])).toString('base64url')}`, 400),
    ask('an unknown filter', '/cases?colour=red', 400),
    ask('a day that is none', '/cases?touchDue=2026-02-30', 400),
    ask('a step that is none', '/steps', 400, { method: 'POST', body: { steps: [{ caseId: randomUUID(), action: { kind: 'approve' } }] } }),
    ask('a note of 8 kB', `/cases/${caseId}/notes`, 400, { method: 'POST', body: { kind: 'note', text: 'x'.repeat(8_000) } }),
    ask('another’s view', `/views/${randomUUID()}/remove`, 404, { method: 'POST', body: {} }),
    ...['/session/close', '/cases/search', '/cases/export', '/steps', '/views', `/cases/${caseId}/notes`].flatMap((path) => badBodies({ method: 'POST', path: `/work/api${path}`, from: 'nobody', shape: 'error-reply', reads: 'application/json', wrong: [400, 401, 413] })),
    { what: 'sign-in by POST', method: 'POST', path: '/work/login', body: {}, status: [404, 405], shape: 'error-reply' },
  ];
}

export function notificationRows(): BadRequest[] {
  const path = '/pas/notifications/cascade-medicare';
  const post = (what: string, body: unknown, status: BadRequest['status'], more: Partial<BadRequest> = {}): BadRequest => ({ what, method: 'POST', path, from: 'payer', type: 'application/fhir+json', body, status, shape: 'outcome', ...more });
  const history = (resource: unknown) => ({ resourceType: 'Bundle', type: 'history', entry: [{ resource }] });
  const status = (type: unknown, ...more: unknown[]) => ({ resourceType: 'Parameters', parameter: [{ name: 'subscription', valueReference: { reference: 'Subscription/x' } }, { name: 'topic', valueCanonical: 'http://hl7.org/fhir/us/davinci-pas/SubscriptionTopic/PASSubscriptionTopic' }, { name: 'type', valueCode: type }, ...more] });
  return [
    ...badBodies({ method: 'POST', path, from: 'payer', shape: 'outcome', reads: 'application/fhir+json', wrong: 400 }),
    post('no secret', {}, 401, { from: 'nobody' }),
    post('a wrong secret', {}, 401, { from: 'nobody', headers: { authorization: 'Bearer x' } }),
    post('an unknown payer', {}, 404, { path: '/pas/notifications/nobody' }),
    post('a payer of the prototype', {}, 404, { path: '/pas/notifications/__proto__' }),
    post('a payer with a null byte', {}, 404, { path: '/pas/notifications/%00' }),
    post('a payer with a broken escape', {}, [400, 404], { path: '/pas/notifications/%zz' }),
    post('another resource', { resourceType: 'Patient' }, 400),
    post('a bundle of nothing', history(null), 400),
    post('a bundle whose entries are no list', { resourceType: 'Bundle', type: 'history', entry: 7 }, 400),
    post('parameters that are no list', history({ resourceType: 'Parameters', parameter: PRIVATE_WORDS }), 400),
    post('an unknown type', history(status('gossip')), 400),
    post('an event count that is no number', history(status('heartbeat', { name: 'events-since-subscription-start', valueString: 'many' })), [200, 400]),
    post('an event count out of range', history(status('heartbeat', { name: 'events-since-subscription-start', valueString: '99999999999999999999999' })), [200, 400]),
    post('an event with a null byte', history(status('event-notification', { name: 'notification-event', part: [{ name: 'event-number', valueString: '1' }, { name: 'focus', valueReference: { reference: 'ClaimResponse/\u0000' } }] })), [200, 400]),
    post('an event number out of range', history(status('event-notification', { name: 'notification-event', part: [{ name: 'event-number', valueString: '1e30' }] })), [200, 400]),
    ...['GET', 'PUT', 'DELETE'].map((method): BadRequest => post('wrong method', undefined, 405, { method })),
    post('no payer', {}, 404, { path: '/pas/notifications', shape: 'error-reply' }),
  ];
}

function nest(depth: number): Readonly<Record<string, unknown>> {
  return depth === 0 ? { linkId: 'x' } : { linkId: 'x', item: [nest(depth - 1)] };
}
