import { describe, expect, it } from 'vitest';
import { emissionFaults } from './emission-rules.ts';
import { readRequirement } from './read-requirement.ts';
import type { CoverageRequirement } from './requirement.ts';
import { writeRequirement201 } from './write-requirement-2-0-1.ts';

const needed: CoverageRequirement = {
  coverage: 'Coverage/1', covered: 'covered', paNeeded: 'auth-needed', docNeeded: 'clinical', docPurpose: ['withpa'], infoNeeded: [], reasons: ['because'],
  questionnaires: ['https://payer.example/q|1'], date: '2026-11-22', assertionId: 'a1', policy: { policyId: 'home-oxygen', revision: '2021.1' },
};
const { paNeeded: _paNeeded, ...withoutPaNeeded } = needed;
const { docNeeded: _docNeeded, ...withoutDocNeeded } = needed;

describe('emission rules', () => {
  it.each<[string, CoverageRequirement, readonly string[]]>([
    ['authorization needed', needed, []],
    ['nothing needed', { ...withoutPaNeeded, paNeeded: 'no-auth', docPurpose: [], questionnaires: [] }, []],
    ['covered without pa-needed', { ...withoutPaNeeded, docPurpose: [] }, ['pa-needed']],
    ['not covered with pa-needed', { ...needed, covered: 'not-covered' }, ['pa-needed']],
    ['conditional without info-needed', { ...needed, covered: 'conditional' }, ['info-needed']],
    ['info-needed without conditional', { ...needed, infoNeeded: ['performer'] }, ['info-needed']],
    ['doc-purpose without reason', { ...needed, reasons: [] }, ['doc-purpose-reason']],
    ['withpa though none is needed', { ...needed, paNeeded: 'no-auth' }, ['withpa']],
    ['satisfied without id', { ...needed, paNeeded: 'satisfied', docPurpose: [] }, ['satisfied']],
    ['id though not satisfied', { ...needed, satisfiedPaId: 'x' }, ['satisfied']],
    ['questionnaire without doc-needed', withoutDocNeeded, ['questionnaire']],
    ['OTH without reason', { ...needed, paNeeded: 'conditional', infoNeeded: ['OTH'], reasons: [], docPurpose: [] }, ['other-reason']],
    ['no assertion id', { ...needed, assertionId: '' }, ['identity']],
  ])('%s', (_name, requirement, rules) => {
    expect(emissionFaults([requirement]).map((fault) => fault.rule)).toEqual(rules);
  });
  it.each([
    ['one coverage, two ids', [needed, { ...needed, assertionId: 'a2' }], ['assertion-id']],
    ['two coverages, one id', [needed, { ...needed, coverage: 'Coverage/2' }], ['assertion-id']],
    ['two coverages, two ids', [needed, { ...needed, coverage: 'Coverage/2', assertionId: 'a2' }], []],
  ])('%s', (_name, requirements, rules) => {
    expect(emissionFaults(requirements).map((fault) => fault.rule)).toEqual(rules);
  });
});

describe('coverage-information on an order', () => {
  it('comes back as it was written', () => {
    expect(readRequirement({ extension: [{ url: 'other' }, writeRequirement201(needed)] })).toEqual([needed]);
  });
  it('of a later version is read: repeated doc-needed, indeterminate', () => {
    const written = writeRequirement201(needed);
    const extension = (written.extension ?? []).map((part) => (part.url === 'covered' ? { url: 'covered', valueCode: 'indeterminate' } : part));
    expect(readRequirement({ extension: [{ ...written, extension: [...extension, { url: 'doc-needed', valueCode: 'admin' }] }] })).toMatchObject([{ covered: 'conditional', docNeeded: 'both' }]);
  });
  it.each(['coverage', 'covered', 'date', 'coverage-assertion-id'])('without %s is ORDER_UNREADABLE', (url) => {
    const written = writeRequirement201(needed);
    const order = { extension: [{ ...written, extension: (written.extension ?? []).filter((part) => part.url !== url) }] };
    expect(() => readRequirement(order)).toThrow(expect.objectContaining({ code: 'ORDER_UNREADABLE' }));
  });
  it('with an unknown code is ORDER_UNREADABLE, never guessed', () => {
    const order = { extension: [{ ...writeRequirement201(needed), extension: [...(writeRequirement201(needed).extension ?? []).filter((part) => part.url !== 'pa-needed'), { url: 'pa-needed', valueCode: 'maybe' }] }] };
    expect(() => readRequirement(order)).toThrow(expect.objectContaining({ code: 'ORDER_UNREADABLE' }));
  });
  it('of nothing is nothing', () => expect(readRequirement({})).toEqual([]));
});
