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
    expect(first?.faults).toEqual([
      expect.stringMatching(/^expected met, but it is unknown \([a-z-]+: unknown(, [a-z-]+: unknown)*\)$/),
      'criterion reflux: expected met, but it is unknown',
      expect.stringMatching(/^criterion other: expected met, but revision 2020\.1 has no such criterion \(it has: symptomatic-veins, reflux, compression\)$/),
    ]);
  });
  it('that comes out better than expected, or of a revision without criteria, says why', () => {
    if (!policy) throw new Error('vein-ablation is gone');
    const [good] = tried.find((each) => each.policy.id === policy.id)?.cases.cases?.filter(({ outcome }) => outcome === 'met') ?? [];
    if (!good) throw new Error('no case is met');
    expect(playCases(policy, { policy: policy.id, cases: [{ ...good, outcome: 'unknown', criteria: {} }] }, today)[0]?.faults).toEqual(['expected unknown, but it is met (every criterion is met)']);
    const bare = { ...policy, revisions: policy.revisions.map((revision) => ({ ...revision, criteria: [] })) };
    expect(playCases(bare, { policy: policy.id, cases: [{ name: 'x', outcome: 'unknown', record: [] }] }, today)[0]?.faults).toEqual(['expected unknown, but it is met (the revision has no criteria)']);
  });
  it('that names no revision of the policy is a fault; the others are played', () => {
    if (!policy) throw new Error('vein-ablation is gone');
    const results = playCases(policy, { policy: policy.id, cases: [{ name: 'x', outcome: 'met', revision: '1999', both: [] }, { name: 'y', outcome: 'unknown', record: [] }] }, today);
    expect(results.map(({ name, faults }) => [name, faults])).toEqual([['x', ['is of revision 1999, which vein-ablation has not (it has: 2020.1); it was not played']], ['y', []]]);
  });
});
