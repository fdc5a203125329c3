import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Policy, policyDefaultSchema, policySchema } from '#prior-auth/coverage-requirement/policy.ts';
import { createPolicyLibrary, type PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import { PolicyFileError, readJsonFile } from './json-file.ts';

export type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';

/**
 * Reads every *.json of the folder (default: the library that ships) and what holds for services that none names.
 * @throws PolicyFileError naming file and line of every fault in the first bad file, or a clash between files.
 */
export function loadPolicies(folder: string = join(import.meta.dirname, 'library'), defaultFile: string = join(import.meta.dirname, 'default.json')): PolicyLibrary {
  const files = listFiles(folder);
  const policies = files.map((file) => {
    const path = join(folder, file);
    const policy = readJsonFile(path, policySchema);
    const faults = faultsOf(policy, file);
    if (faults.length > 0) throw new PolicyFileError(faults.map((fault) => `${path}: ${fault}`).join('\n'));
    return policy;
  });
  return createPolicyLibrary(policies, readJsonFile(defaultFile, policyDefaultSchema));
}

function listFiles(folder: string): readonly string[] {
  try {
    return readdirSync(folder).filter((file) => file.endsWith('.json')).sort();
  } catch (cause) {
    throw new PolicyFileError(`${folder}: cannot be read: ${(cause as Error).message}`, { cause });
  }
}

/** Rules between elements, which the schema cannot say. */
function faultsOf(policy: Policy, file: string): readonly string[] {
  const faults: string[] = [];
  if (file !== `${policy.id}.json`) faults.push(`the file of policy ${policy.id} must be named ${policy.id}.json`);
  const inOrder = policy.revisions.toSorted((a, b) => (a.effectiveFrom < b.effectiveFrom ? -1 : 1));
  inOrder.forEach((revision, i) => {
    const name = `revision ${revision.revision}`;
    const next = inOrder[i + 1];
    if (next && (revision.effectiveTo === undefined || revision.effectiveTo >= next.effectiveFrom)) {
      faults.push(`${name} must end (effectiveTo) before revision ${next.revision} begins on ${next.effectiveFrom}`);
    }
    if (revision.effectiveTo !== undefined && revision.effectiveTo < revision.effectiveFrom) faults.push(`${name} ends before it begins`);
    if (new Set(revision.criteria.map((criterion) => criterion.id)).size < revision.criteria.length) faults.push(`${name} has two criteria of the same id`);
    const decides = revision.authorization === 'auth-needed' || revision.authorization === 'performpa';
    if (decides && revision.decision === null) faults.push(`${name} needs an authorization, so it needs a decision`);
    if (revision.decision && revision.decision.route === 'limit' && !revision.decision.limit) faults.push(`${name} decides by limit, so it needs decision.limit`);
    if (revision.questionnaires.length > 0 && revision.documentation === null) faults.push(`${name} has questionnaires, so it needs documentation`);
    const conditional = [revision.covered, revision.authorization, revision.documentation].includes('conditional');
    if (conditional !== (revision.infoNeeded ?? []).length > 0) faults.push(`${name} must have infoNeeded if, and only if, something in it is conditional`);
  });
  if (new Set(policy.revisions.map((revision) => revision.revision)).size < policy.revisions.length) faults.push('two revisions have the same name');
  return faults;
}
