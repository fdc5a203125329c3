import { computeFault, recordFault, submissionFault, whenFault } from '#prior-auth/coverage-requirement/expression-faults.ts';
import type { Policy, PolicyDefault, PolicyRevision } from '#prior-auth/coverage-requirement/policy.ts';
import { DRAFT_TYPES, type PolicyResponse } from '#prior-auth/coverage-requirement/policy-response.ts';
import { draftFaults } from './draft-faults.ts';
import type { Fault } from './json-file.ts';
import { defaultFaults, requirementFaults } from './requirement-faults.ts';
import { serviceFaults } from './service-faults.ts';

/** What holds without a policy. */
export function policyDefaultFaults(byDefault: PolicyDefault): readonly Fault[] {
  return [...defaultFaults(byDefault), ...(byDefault.everyOrder ?? []).flatMap((each, i) => under(responseFaults(each), 'everyOrder', i))];
}

/** Rules between a policy's elements, which the schema cannot say. `file` is the name without folder. */
export function policyFaults(policy: Policy, file: string): readonly Fault[] {
  const faults: Fault[] = [];
  if (file !== `${policy.id}.json`) faults.push({ path: ['id'], message: `the file of policy ${policy.id} must be named ${policy.id}.json` });
  if (new Set(policy.revisions.map((revision) => revision.revision)).size < policy.revisions.length) faults.push({ path: ['revisions'], message: 'two revisions have the same name' });
  policy.revisions.forEach((_, i) => faults.push(...revisionFaults(policy, i)));
  return faults;
}

function revisionFaults(policy: Policy, index: number): readonly Fault[] {
  const { revisions } = policy;
  const revision = revisions[index];
  if (!revision) return [];
  const faults: Fault[] = [];
  const at = (message: string, ...path: PropertyKey[]) => faults.push({ path: ['revisions', index, ...path], message: `revision ${revision.revision} ${message}` });
  const { effectiveFrom, effectiveTo = '9999-12-31', decision } = revision;
  const next = revisions.filter((other, i) => i !== index && (other.effectiveFrom > effectiveFrom || (other.effectiveFrom === effectiveFrom && i > index))).sort((a, b) => (a.effectiveFrom < b.effectiveFrom ? -1 : 1))[0];
  if (next && effectiveTo >= next.effectiveFrom) at(`must end (effectiveTo) before revision ${next.revision} begins on ${next.effectiveFrom}`, revision.effectiveTo ? 'effectiveTo' : 'effectiveFrom');
  if (effectiveTo < effectiveFrom) at('ends before it begins', 'effectiveTo');
  const repeated = revision.criteria.findIndex(({ id }, i) => revision.criteria.findIndex((each) => each.id === id) < i);
  if (repeated >= 0) at('has two criteria of the same id', 'criteria', repeated, 'id');
  if ((revision.authorization === 'auth-needed' || revision.authorization === 'performpa') && decision === null) at('needs an authorization, so it needs a decision', 'decision');
  if (decision?.route === 'limit' && !decision.limit) at('decides by limit, so it needs decision.limit', 'decision');
  if (revision.questionnaires.length > 0 && revision.documentation === null) at('has questionnaires, so it needs documentation', 'documentation');
  const conditional = [revision.covered, revision.authorization, revision.documentation].includes('conditional');
  if (conditional !== (revision.infoNeeded ?? []).length > 0) at('must have infoNeeded if, and only if, something in it is conditional', ...(revision.infoNeeded ? ['infoNeeded'] : []));
  const own = [...serviceFaults(revision), ...criterionFaults(revision), ...(revision.responses ?? []).flatMap((each, i) => under(responseFaults(each), 'responses', i))];
  faults.push(...under(own, 'revisions', index));
  // What is already wrong would only be said twice.
  return faults.length > 0 ? faults : under(requirementFaults(policy, revision), 'revisions', index);
}

function criterionFaults({ criteria }: PolicyRevision): readonly Fault[] {
  return criteria.flatMap((criterion, c) => {
    const { id, submission } = criterion;
    const found = [
      ['record', recordFault(criterion)],
      ['submission', submission === undefined ? undefined : submissionFault(submission)],
    ] as const;
    return found.flatMap(([part, fault]) => (fault === undefined ? [] : [{ path: ['criteria', c, part], message: `criterion ${id}: ${part} ${fault}` }]));
  });
}

/** Paths begin at the response. */
function responseFaults(response: PolicyResponse): readonly Fault[] {
  const { when, type } = response;
  const changes = type === 'propose-alternate' ? response.alternatives.map(({ change }, i) => ({ change, before: ['alternatives', i], types: DRAFT_TYPES })) : type === 'update-coverage' ? [{ change: response.change, before: [], types: ['Coverage'] }] : [];
  const found = [
    { path: ['when', 'order'], fault: when.order === undefined ? undefined : whenFault(when.order, DRAFT_TYPES) },
    { path: ['when', 'coverage'], fault: when.coverage === undefined ? undefined : whenFault(when.coverage, ['Coverage']) },
    ...changes.flatMap(({ change, before, types }) => Object.entries(change?.compute ?? {}).map(([element, text]) => ({ path: [...before, 'change', 'compute', element], fault: computeFault(text, types) }))),
  ];
  return [...found.flatMap(({ path, fault }) => (fault === undefined ? [] : [{ path, message: fault }])), ...draftFaults(response)];
}

function under(faults: readonly Fault[], ...before: PropertyKey[]): readonly Fault[] {
  return faults.map(({ path, message }) => ({ path: [...before, ...path], message }));
}
