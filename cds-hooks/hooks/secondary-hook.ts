import type { DeterminedFocus } from '../determined-focus.ts';

/** CRD, hook categories: a secondary hook never says that documents are needed. */
export function withoutDocuments(each: DeterminedFocus): DeterminedFocus {
  const { docNeeded: _left, ...rest } = each.determination.requirement;
  const open = rest.covered === 'conditional' || rest.paNeeded === 'conditional';
  return { ...each, determination: { ...each.determination, requirement: { ...rest, docPurpose: [], questionnaires: [], infoNeeded: open ? rest.infoNeeded : [] } } };
}

/** Worth a system action at a secondary hook: a policy asks for something or refuses, or the coverage has ended. */
export function isWorthSaying({ determination: { requirement, applicable } }: DeterminedFocus): boolean {
  const { covered, paNeeded, cause } = requirement;
  return cause === 'no-active-coverage' || (applicable !== undefined && (covered !== 'covered' || paNeeded === 'conditional' || paNeeded === 'auth-needed' || paNeeded === 'performpa'));
}
