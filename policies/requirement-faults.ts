import { determine } from '#prior-auth/coverage-requirement/determine.ts';
import { emissionFaults } from '#prior-auth/coverage-requirement/emission-rules.ts';
import { readChart } from '#prior-auth/coverage-requirement/evidence.ts';
import type { Policy, PolicyDefault, PolicyRevision } from '#prior-auth/coverage-requirement/policy.ts';
import { createPolicyLibrary, type PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import type { Fault } from './json-file.ts';

/*
 * What a rule would answer, held against the rules that every answer must keep. An answer that breaks one never leaves: each order would hear that the
 * rule could not be evaluated.
 */

/** Element to look at first, by the emission rule that is broken. */
const ELEMENT: Readonly<Record<string, string>> = { 'pa-needed': 'authorization', 'info-needed': 'infoNeeded', withpa: 'documentationPurpose', satisfied: 'authorization', questionnaire: 'documentation' };

/** Paths begin at the revision. */
export function requirementFaults(policy: Policy, revision: PolicyRevision): readonly Fault[] {
  const [service] = revision.services;
  const [code] = service?.codes ?? [];
  if (!service || code === undefined) return [];
  const coding = { system: service.system, code };
  const only: Policy = { ...policy, payers: ['*'], revisions: [{ ...revision, services: [{ system: service.system, codes: [code] }], criteria: [] }] };
  const library = createPolicyLibrary([only], { covered: 'covered', authorization: 'no-auth' });
  return brokenRules(library, coding, revision.effectiveFrom).map(({ rule, says }) => {
    const element = ELEMENT[rule] ?? 'revision';
    const named = element in revision ? element : 'documentation';
    const notCovered = revision.covered === 'not-covered' ? '; what is not covered has authorization "no-auth"' : '';
    return { path: [named], message: `revision ${revision.revision} would give an answer that CRD does not allow (${says}): correct covered, authorization, documentation or documentationPurpose${notCovered}` };
  });
}

export function defaultFaults(byDefault: PolicyDefault): readonly Fault[] {
  return brokenRules(createPolicyLibrary([], byDefault), { system: '', code: 'any' }, '2026-01-01').map(({ says }) => ({
    path: [byDefault.covered === 'conditional' ? 'covered' : 'authorization'],
    message: `would give an answer that CRD does not allow (${says}): nothing here can be conditional`,
  }));
}

function brokenRules(library: PolicyLibrary, coding: { readonly system: string; readonly code: string }, today: string): readonly { readonly rule: string; readonly says: string }[] {
  const { requirement } = determine(library, {
    order: { resourceType: 'ServiceRequest', status: 'draft', intent: 'order', subject: {} },
    service: { order: 'ServiceRequest/1', orderType: 'ServiceRequest', codings: [coding], display: coding.code, priority: 'routine', reasonCodes: [], reasonReferences: [] },
    coverage: 'Coverage/1',
    payer: { id: 'any' },
    patient: undefined,
    chart: () => readChart([]),
    today,
    assertionId: 'tried',
  });
  return emissionFaults([requirement]);
}
