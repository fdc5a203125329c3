import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Bundle, Claim, Resource } from '@medplum/fhirtypes';
import { describe, expect, it } from 'vitest';
import { pickEvidence } from './pick-evidence.ts';
import { readPolicies } from './read-policies.ts';
import { weighCriteria } from './weigh-criteria.ts';

type Outcome = 'met' | 'not-met' | 'unknown';
interface PolicyCase {
  readonly name: string;
  readonly revision?: string;
  readonly outcome: Outcome;
  readonly criteria?: Readonly<Record<string, Outcome>>;
  readonly submission?: readonly object[];
  readonly both?: readonly object[];
  readonly answers?: Readonly<Record<string, object>>;
}

const root = join(import.meta.dirname, '../../policies');
const policies = readPolicies(join(root, 'library'));
const today = new Intl.DateTimeFormat('en-CA').format(Date.now());
const dayBefore = (days: number): string => new Date(Date.parse(today) - days * 86_400_000).toISOString().slice(0, 10);
const withDays = (value: object): Bundle => JSON.parse(JSON.stringify(value), (_key, each: unknown) => (typeof each === 'string' ? each.replace(/^today-(\d+)/, (_text, days: string) => dayBefore(Number(days))) : each)) as Bundle;

const cases = readdirSync(join(root, 'tests')).flatMap((file) => {
  const { policy, cases: all = [] } = JSON.parse(readFileSync(join(root, 'tests', file), 'utf8')) as { policy: string; cases?: readonly PolicyCase[] };
  return all.filter((each) => each.submission ?? each.both ?? each.answers).map((each) => [policy, each.name, each] as const);
});

/** What a policy's author expects of a submission, weighed by the payer's own code. */
describe("the library's cases", () => {
  it.each(cases)('%s: %s', (policyId, _name, { revision, outcome, criteria = {}, submission, both, answers }) => {
    const policy = policies.filter((each) => each.policyId === policyId).find((each, i, all) => (revision === undefined ? i === all.length - 1 : each.revision === revision));
    if (!policy) throw new Error(`no revision ${revision}`);
    const response = answers && { resourceType: 'QuestionnaireResponse', status: 'completed', item: Object.entries(answers).map(([linkId, answer]) => ({ linkId, answer: [answer] })) };
    const sent = [...(submission ?? both ?? []), ...(response ? [response] : [])];
    const bundle = withDays({ resourceType: 'Bundle', type: 'collection', entry: sent.map((resource) => ({ resource })) });
    const faults: unknown[] = [];
    const results = weighCriteria(policy, { bundle, day: today, onFault: (id, error) => faults.push(id, error) });
    expect(faults).toEqual([]);
    expect(results.some(({ result }) => result === 'not-met') ? 'not-met' : results.some(({ result }) => result === 'unknown') ? 'unknown' : 'met').toBe(outcome);
    expect(Object.fromEntries(results.map(({ id, result }) => [id, result]))).toMatchObject(criteria);
  });
});

describe('evidence of a submission', () => {
  const claim = { resourceType: 'Claim', patient: {}, diagnosis: [{ diagnosisCodeableConcept: { coding: [{ code: 'I83811' }] } }], item: [{ extension: [{ url: 'x', valueReference: { reference: 'MedicationRequest/order' } }] }] } as unknown as Claim;
  const drug = (id: string): Resource => ({ resourceType: 'MedicationRequest', id, status: 'active', intent: 'order', subject: {}, medicationCodeableConcept: { text: 'Methotrexate 15 mg' } });
  const seen = (id: string, effectiveDateTime: string, status: 'final' | 'entered-in-error' = 'final'): Resource => ({ resourceType: 'Observation', id, status, code: { coding: [{ code: '10230-1' }] }, effectiveDateTime });
  const bundle = { resourceType: 'Bundle', type: 'collection', entry: [claim, drug('order'), drug('before'), seen('old', '2026-01-01'), seen('new', '2026-02-01'), seen('wrong', '2026-03-01', 'entered-in-error')].map((resource) => ({ fullUrl: `https://ehr.example/${resource.resourceType}/${resource.id}`, resource })) } as Bundle;
  it('counts a diagnosis of the Claim as a Condition', () => expect(pickEvidence(bundle, [{ type: 'Condition', codes: ['I83.8*'] }])).toHaveLength(1));
  it('leaves out what is asked for', () => expect(pickEvidence(bundle, [{ type: 'MedicationRequest', codes: [], words: ['methotrexate'] }]).map(({ id }) => id)).toEqual(['before']));
  it('is newest first, without what was entered in error', () => expect(pickEvidence(bundle, [{ type: 'Observation', codes: ['10230-1'] }]).map(({ id }) => id)).toEqual(['new', 'old']));
  it('is of the type that is named', () => expect(pickEvidence(bundle, [{ type: 'Procedure', codes: ['10230-1', 'I83*'], words: ['methotrexate'] }])).toEqual([]));
});
