import { canonicalCoding } from '#prior-auth/order/canonical-coding.ts';
import type { Policy } from '#prior-auth/coverage-requirement/policy.ts';
import type { Fault } from './json-file.ts';

/** Rules between a policy's elements, which the schema cannot say. `file` is the name without folder. */
export function policyFaults(policy: Policy, file: string): readonly Fault[] {
  const faults: Fault[] = [];
  if (file !== `${policy.id}.json`) faults.push({ path: ['id'], message: `the file of policy ${policy.id} must be named ${policy.id}.json` });
  if (new Set(policy.revisions.map((revision) => revision.revision)).size < policy.revisions.length) faults.push({ path: ['revisions'], message: 'two revisions have the same name' });
  policy.revisions.forEach((_, i) => faults.push(...revisionFaults(policy, i)));
  return faults;
}

function revisionFaults({ revisions }: Policy, index: number): readonly Fault[] {
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
  revision.services.forEach((service, s) => {
    if (service.from !== undefined && service.to !== undefined && service.to < service.from) at('names services whose phase ends before it begins', 'services', s, 'to');
    service.codes.forEach((code, c) => {
      const canonical = canonicalCoding({ system: service.system, code });
      if (canonical && (canonical.code !== code || canonical.system !== service.system)) at(`names ${code}, which is written ${canonical.code} of ${canonical.system}`, 'services', s, 'codes', c);
      else if (service.codes.indexOf(code) < c) at(`names ${code} twice`, 'services', s, 'codes', c);
    });
  });
  return faults;
}
