import type { Bundle } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import type { CaseState } from '../case.ts';
import { answersBy, buildAttachment } from './answer-information-request.ts';
import { authorizationsOf } from './authorization-register.ts';
import { endOfDay, readClock } from './deadlines.ts';
import type { ItemDecision, PayerDecision } from './decision.ts';
import { dutiesOf } from './duties.ts';
import { enteredDecision, toPayerDecision } from './entered-decision.ts';
import { type InformationRequest, mergeAsks } from './information-request.ts';
import { supersedes } from './supersedes.ts';

const said = (overall: PayerDecision['overall'], decidedAt: string, entered = false): PayerDecision => ({
  decidedAt, overall, items: [], errors: [], ...(entered ? { entered: { by: { reference: 'Practitioner/1', name: 'N' }, at: decidedAt, learnedBy: 'fax' as const } } : {}),
});
const service = { order: 'ServiceRequest/1', orderType: 'ServiceRequest', codings: [], display: 'x', priority: 'routine', reasonCodes: [], reasonReferences: [], quantity: { value: 10, unit: 'visits' } } as const;

describe('of two answers about one request', () => {
  it.each([
    ['a decision goes before “not decided”, even with an older clock', said('approved', '2026-11-20T09:00:00Z'), said('pended', '2026-11-20T10:00:00Z'), true],
    ['“not decided” never takes a decision back', said('pended', '2026-11-21T09:00:00Z'), said('denied', '2026-11-20T10:00:00Z'), false],
    ['a later decision takes the place of an earlier', said('approved', '2026-11-21T09:00:00Z'), said('denied', '2026-11-20T10:00:00Z'), true],
    ['an earlier decision that comes late is left', said('denied', '2026-11-20T09:00:00Z'), said('approved', '2026-11-20T10:00:00Z'), false],
    ['the same decision told twice changes nothing', said('denied', '2026-11-20T10:00:00Z'), said('denied', '2026-11-20T10:00:00Z'), false],
    ['an older pend that comes late is left', said('pended', '2026-11-20T09:00:00Z'), said('pended', '2026-11-20T10:00:00Z'), false],
    ['the payer’s system goes before a person’s entry, whenever', said('denied', '2026-11-19T10:00:00Z'), said('approved', '2026-11-20T10:00:00Z', true), true],
    ['but not with “not decided”', said('pended', '2026-11-21T10:00:00Z'), said('approved', '2026-11-20T10:00:00Z', true), false],
  ])('%s', (_name, next, current, takes) => {
    expect(supersedes(next, current)).toBe(takes);
  });
});

describe('clocks', () => {
  const clock = { startedAt: '2026-11-01T00:00:00.000Z', dueAt: '2026-11-08T00:00:00.000Z' };
  it.each([
    ['running', '2026-11-02T00:00:00Z', 'running'],
    ['warned in its last quarter', '2026-11-06T06:00:01Z', 'warning'],
    ['not before', '2026-11-06T05:59:59Z', 'running'],
    ['counted after', '2026-11-08T00:00:01Z', 'overdue'],
  ] as const)('%s', (_name, at, kind) => {
    expect(readClock(clock, Date.parse(at)).kind).toBe(kind);
  });

  it('expedited is warned 18 hours before, and a late answer says how late it was', () => {
    const expedited = { startedAt: '2026-11-01T00:00:00.000Z', dueAt: '2026-11-04T00:00:00.000Z' };
    expect(readClock(expedited, Date.parse('2026-11-03T05:59:00Z')).kind).toBe('running');
    expect(readClock(expedited, Date.parse('2026-11-03T06:01:00Z')).kind).toBe('warning');
    expect(readClock({ ...expedited, stoppedAt: '2026-11-04T01:00:00.000Z' }, 0)).toEqual({ kind: 'stopped', leftMs: -3_600_000 });
  });

  it.each([
    ['America/New_York', '2026-11-01', '2026-11-02T04:59:59.999Z'],
    ['America/Los_Angeles', '2026-03-08', '2026-03-09T06:59:59.999Z'],
    ['Asia/Kolkata', '2026-11-01', '2026-11-01T18:29:59.999Z'],
    ['UTC', '2026-11-01', '2026-11-01T23:59:59.999Z'],
  ])('a day at the payer in %s ends at its midnight: %s', (zone, day, end) => {
    expect(endOfDay(day, zone)).toBe(end);
  });

  const ask = (id: string, due?: string): InformationRequest => ({ id, sequence: 1, wants: { kind: 'attachment', codes: [] }, state: 'open', ...(due ? { due } : {}) });
  const pended: Extract<CaseState, { kind: 'pended' }> = { kind: 'pended', submittedAt: '2026-11-01T12:00:00.000Z', decision: said('pended', '2026-11-02T12:00:00.000Z'), asks: [ask('late'), ask('soon', '2026-11-04')] };

  it('keep apart what the payer owes and what we owe; an ask does not stop the payer’s', () => {
    const duties = dutiesOf({ state: pended, service }, 'America/New_York', Date.parse('2026-11-04T20:00:00Z'));
    expect(duties.payer).toMatchObject({ clock: { dueAt: '2026-11-08T12:00:00.000Z' }, reading: { kind: 'running' } });
    expect(duties.ours).toMatchObject([{ askId: 'soon', clock: { dueAt: '2026-11-05T04:59:59.999Z' }, reading: { kind: 'warning' } }, { askId: 'late', clock: null, reading: null }]);
    expect(duties.payerClockRunsOn).toBe(true);
  });

  it('run on while a change is on its way and while a person goes on by hand; the most urgent order sets them', () => {
    const queued: CaseState = { kind: 'queued', queuedAt: '2026-11-03T00:00:00.000Z', attempts: 0, purpose: 'update', before: pended };
    const nowMs = Date.parse('2026-11-03T00:00:00Z');
    expect(dutiesOf({ state: queued, service }, 'UTC', nowMs).payer?.clock.startedAt).toBe('2026-11-01T12:00:00.000Z');
    expect(dutiesOf({ state: { kind: 'manual', since: '2026-11-03T00:00:00.000Z', by: 'N', was: queued }, service, further: [{ ...service, priority: 'stat' }] }, 'UTC', nowMs).payer?.clock).toMatchObject({ kind: 'expedited', dueAt: '2026-11-04T12:00:00.000Z' });
    expect(dutiesOf({ state: { kind: 'manual', since: '2026-11-03T00:00:00.000Z', by: 'N', submittedAt: '2026-11-02T00:00:00.000Z' }, service }, 'UTC', nowMs).payer?.clock.startedAt).toBe('2026-11-02T00:00:00.000Z');
    expect(dutiesOf({ state: { kind: 'ready' }, service }, 'UTC', nowMs)).toEqual({ payer: null, ours: [], payerClockRunsOn: false });
  });
});

describe('the register of authorizations', () => {
  const register = (decision: ItemDecision, used: number, today: string) =>
    authorizationsOf({ state: { kind: 'decided', submittedAt: '2026-11-01T00:00:00.000Z', decision: { decidedAt: '2026-11-02T00:00:00.000Z', items: [{ sequence: 1, decision }], overall: 'approved', errors: [] } }, service }, new Map([[1, used]]), today)[0];
  const approved: ItemDecision = { kind: 'approved', authorizationNumber: 'A1', validity: { start: '2026-11-05', end: '2026-12-31' } };

  it.each<readonly [string, ItemDecision, number, string, string, number | null]>([
    ['before its first day', approved, 0, '2026-11-04', 'not-yet', 10],
    ['in force', approved, 2, '2026-11-05', 'in-force', 8],
    ['warned before it ends', approved, 2, '2026-12-20', 'ends-soon', 8],
    ['on its last day', approved, 2, '2026-12-31', 'ends-soon', 8],
    ['over', approved, 2, '2027-01-01', 'ended', 8],
    ['scarce', approved, 8, '2026-11-10', 'ends-soon', 2],
    ['used up', approved, 10, '2026-11-10', 'used-up', 0],
    ['more was used than authorized', approved, 12, '2026-11-10', 'used-up', -2],
    ['the payer’s own quantity counts', { ...approved, authorized: { quantity: { value: 4 } } }, 1, '2026-11-10', 'in-force', 3],
    ['modified without a quantity: none is known', { kind: 'modified', explanation: [] }, 1, '2026-11-10', 'in-force', null],
  ])('%s', (_name, decision, used, today, status, left) => {
    expect(register(decision, used, today)).toMatchObject({ status, left, used });
  });

  it('has no denied item', () => {
    expect(register({ kind: 'denied', reasonCodes: [], explanation: [] }, 0, '2026-11-10')).toBeUndefined();
  });
});

describe('a decision entered by hand', () => {
  const by = { reference: 'Practitioner/1', name: 'Nora Nurse' };
  it('has each item once, and is marked', () => {
    const entered = enteredDecision.parse({ items: [{ kind: 'denied', sequence: 2, explanation: 'Not covered' }, { kind: 'approved', sequence: 1, authorizationNumber: 'T1', validity: { end: '2026-12-31' }, quantity: { value: 3 } }], learnedBy: 'portal' });
    expect(toPayerDecision(entered, [1, 2], by, '2026-11-22T00:00:00.000Z')).toMatchObject({ overall: 'partly-approved', entered: { by, learnedBy: 'portal' }, items: [{ sequence: 1, decision: { authorizationNumber: 'T1', authorized: { quantity: { value: 3 } } } }, { sequence: 2, decision: { explanation: ['Not covered'] } }] });
    expect(toPayerDecision(entered, [1], by, '')).toBeUndefined();
    expect(toPayerDecision(entered, [1, 3], by, '')).toBeUndefined();
    expect(toPayerDecision({ ...entered, items: [...entered.items.slice(1), ...entered.items.slice(1)] }, [1, 2], by, '')).toBeUndefined();
  });

  it.each([
    ['nothing', {}],
    ['no item', { items: [], learnedBy: 'fax' }],
    ['a pended item', { items: [{ kind: 'pended', sequence: 1 }], learnedBy: 'fax' }],
    ['a denial without a reason', { items: [{ kind: 'denied', sequence: 1 }], learnedBy: 'fax' }],
    ['no way of learning', { items: [{ kind: 'approved', sequence: 1 }] }],
    ['a quantity of nothing', { items: [{ kind: 'approved', sequence: 1, quantity: { value: 0 } }], learnedBy: 'fax' }],
    ['a day that is none', { items: [{ kind: 'approved', sequence: 1, validity: { end: 'soon' } }], learnedBy: 'fax' }],
  ])('refuses %s', (_name, body) => {
    expect(enteredDecision.safeParse(body).success).toBe(false);
  });
});

describe('what the payer asks for', () => {
  const ask: InformationRequest = { id: 'a', control: { system: 's', value: 'ACN-1' }, sequence: 2, wants: { kind: 'attachment', codes: [{ system: 'http://loinc.org', code: '11506-3' }] }, state: 'open' };
  const sent: Bundle = {
    resourceType: 'Bundle', type: 'collection',
    entry: [
      { resource: { resourceType: 'Patient', meta: { profile: ['x/profile-beneficiary'] }, identifier: [{ system: 'm', value: 'M1' }] } },
      { resource: { resourceType: 'Organization', name: 'i', meta: { profile: ['x/profile-insurer'] }, identifier: [{ system: 'p', value: 'P1' }] } },
      { resource: { resourceType: 'Organization', name: 'r', meta: { profile: ['x/profile-requestor'] }, identifier: [{ system: 'o', value: 'O1' }] } },
    ],
  };

  it('is answered with its control number, line, code and the member’s number; nothing points into our record', () => {
    const resource = { resourceType: 'QuestionnaireResponse' as const, id: 'q', meta: { versionId: '3' }, status: 'completed' as const, subject: { reference: 'Patient/p1' }, author: { reference: 'Practitioner/9' }, item: [{ linkId: '1' }] };
    const built = buildAttachment(ask, [{ resource }], { sent, fallbackId: 'f' });
    expect(built).toMatchObject({ kind: 'built', trackingId: 'ACN-1' });
    expect(built.kind === 'built' && built.parameters.parameter?.find(({ name }) => name === 'Attachment')?.part).toEqual([
      { name: 'LineItem', valueString: '2' },
      { name: 'Code', valueCodeableConcept: { coding: [{ system: 'http://loinc.org', code: '11506-3' }] } },
      { name: 'Content', resource: { resourceType: 'QuestionnaireResponse', status: 'completed', subject: { identifier: { system: 'm', value: 'M1' } }, item: [{ linkId: '1' }] } },
    ]);
  });

  it('goes by update only for a form of 2.0.1 without an address for attachments', () => {
    const form = { wants: { kind: 'questionnaire' } } as const;
    expect([answersBy(form, '2.0.1'), answersBy({ ...form, payerUrl: 'https://p/x' }, '2.0.1'), answersBy(form, '2.2.1'), answersBy(ask, '2.0.1')]).toEqual(['update', 'attachment', 'attachment', 'attachment']);
  });

  it('that a later answer does not repeat was answered where our answer was on its way, else withdrawn', () => {
    const sending: InformationRequest = { ...ask, id: 'b', answer: { kind: 'sending', queuedAt: '2026-11-20T00:00:00.000Z', by: 'N' } };
    expect(mergeAsks([ask, sending], [], '2026-11-21T00:00:00.000Z')).toMatchObject([{ id: 'a', state: 'withdrawn' }, { id: 'b', state: 'answered', answeredAt: '2026-11-21T00:00:00.000Z' }]);
    expect(mergeAsks([ask], undefined)).toEqual([ask]);
  });

  it('an unfinished form and an empty choice stay here', () => {
    expect(buildAttachment(ask, [], { sent, fallbackId: 'f' })).toMatchObject({ problems: [{ code: 'ATTACHMENT_MISSING' }] });
    expect(buildAttachment(ask, [{ resource: { resourceType: 'QuestionnaireResponse', status: 'in-progress' } }], { sent, fallbackId: 'f' })).toMatchObject({ problems: [{ code: 'FORM_NOT_COMPLETED' }] });
  });
});
