import type { Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { loadPayers } from '#policies/load-payers.ts';
import { loadPolicies } from '#policies/load-policies.ts';
import { determine } from '#prior-auth/coverage-requirement/determine.ts';
import { readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import { readFocusService } from '#prior-auth/order/read-focus-service.ts';
import type { DeterminedFocus } from '../determined-focus.ts';
import { ANSWER_WRITERS } from '../versions/answer-writers.ts';
import { responsesTo } from './responses-to.ts';

/* An order of a heart scan, for which our copy of the payer's policy wants an echocardiogram first. */

const library = loadPolicies();
const payer = loadPayers('http://localhost').byId('evergreen-health');
const order = { resourceType: 'ServiceRequest', id: 's1', status: 'draft', intent: 'order', subject: { reference: 'Patient/p1' }, code: { coding: [{ system: 'http://www.ama-assn.org/go/cpt', code: '75561' }] } } as Resource;
const service = readFocusService(order);
const determination = determine(library, { order, service, coverage: 'Coverage/c1', payer, patient: undefined, chart: () => readChart([]), today: '2026-11-22', assertionId: 'a' });

function cardsWhen(word: Partial<CoverageRequirement> | undefined): number {
  const focus: DeterminedFocus = {
    focus: order, service, patient: undefined, coverage: undefined, payer, payerName: 'Payer', otherPayers: [], today: '2026-11-22',
    determination: { ...determination, requirement: { ...determination.requirement, ...word } }, ...(word ? { byPayer: true as const } : {}),
  };
  const call = { hook: 'order-sign' as const, orders: [order], patientId: 'p1', userId: 'Practitioner/u1', version: '2.0' as const };
  return responsesTo([focus], call, { library, writer: ANSWER_WRITERS['2.0'], configuration: { wants: () => true }, newId: () => '00000000-0000-4000-8000-000000000001' }).flatMap(({ cards }) => cards).filter(({ detail }) => /echocardiogram/i.test(detail)).length;
}

describe("what our policy answers on the way to an authorization, in the payer's name", () => {
  it('is given where the library answers, and where the payer itself asks for an authorization', () => {
    expect([cardsWhen(undefined), cardsWhen({ paNeeded: 'auth-needed' }), cardsWhen({ covered: 'conditional', paNeeded: 'conditional' })]).toEqual([1, 1, 1]);
  });
  it.each<[string, Partial<CoverageRequirement>]>([
    ['satisfied', { paNeeded: 'satisfied', satisfiedPaId: 'PA-123' }],
    ['no-auth', { paNeeded: 'no-auth' }],
    ['not-covered', { covered: 'not-covered', paNeeded: undefined }],
  ])("is not given against the payer's own word: %s", (_name, word) => expect(cardsWhen(word)).toBe(0));
});
