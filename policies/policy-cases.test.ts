import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadPolicies } from './load-policies.ts';
import { missingOutcomes, playCases, readPolicyCases } from './policy-cases.ts';

const folder = join(import.meta.dirname, 'tests');
const today = new Intl.DateTimeFormat('en-CA').format(Date.now());
const tried = loadPolicies().policies.map((policy) => {
  const cases = readPolicyCases(join(folder, `${policy.id}.json`));
  return { policy, cases, results: playCases(policy, cases, today) };
});

describe('every policy on its cases', () => {
  it.each(tried.flatMap(({ policy, results }) => results.map((result) => [policy.id, result.revision, result.side, result.name, result] as const)))('%s %s, %s: %s', (_id, _revision, _side, _name, result) => {
    expect(result).toMatchObject({ faults: [] });
  });
  it.each(tried.map(({ policy, cases, results }) => [policy.id, policy, cases, results] as const))('%s: met, not met and unknown are shown, or it is said why one cannot occur', (id, policy, cases, results) => {
    expect(cases.policy).toBe(id);
    expect(missingOutcomes(policy, cases, results)).toEqual([]);
  });
  it('has no cases of a policy that is not there', () => {
    const known = new Set(tried.map(({ policy }) => `${policy.id}.json`));
    expect(readdirSync(folder).filter((file) => !known.has(file))).toEqual([]);
  });
});

describe('a case', () => {
  const policy = tried.find((each) => each.policy.id === 'vein-ablation')?.policy;
  it('that is wrong says so', () => {
    if (!policy) throw new Error('vein-ablation is gone');
    const [first] = playCases(policy, { policy: policy.id, cases: [{ name: 'x', outcome: 'met', criteria: { reflux: 'met', other: 'met' }, record: [] }] }, today);
    expect(first?.faults).toEqual(['is unknown, not met', 'criterion reflux is unknown, not met', 'criterion other is not of this revision, not met']);
  });
  it('that names no revision of the policy is a fault', () => {
    if (!policy) throw new Error('vein-ablation is gone');
    expect(() => playCases(policy, { policy: policy.id, cases: [{ name: 'x', outcome: 'met', revision: '1999', both: [] }] }, today)).toThrow('has no revision 1999');
  });
});
