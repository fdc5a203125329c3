import { mayNeedAuthorization } from '#prior-auth/coverage-requirement/requirement.ts';
import { carriedUnder } from '../coverage-action.ts';
import type { DeterminedFocus } from '../determined-focus.ts';

/** CRD, hook categories: a secondary hook never says that documents are needed. */
export function withoutDocuments(each: DeterminedFocus): DeterminedFocus {
  const { docNeeded: _left, inLaterCodes: _asWell, ...rest } = each.determination.requirement;
  const open = rest.covered === 'conditional' || rest.paNeeded === 'conditional';
  return { ...each, determination: { ...each.determination, requirement: { ...rest, docPurpose: [], questionnaires: [], infoNeeded: open ? rest.infoNeeded : [] } } };
}

/** Worth a system action at a secondary hook: a policy asks for something or refuses, or the coverage has ended. */
export function isWorthSaying({ focus, determination: { requirement, applicable } }: DeterminedFocus): boolean {
  const { covered, paNeeded, cause, coverage } = requirement;
  // An answer from a primary hook says more, documents among it: one that agrees is not replaced by less.
  if (carriedUnder(focus, coverage).some((each) => each.covered === covered && each.paNeeded === paNeeded)) return false;
  return cause === 'no-active-coverage' || (applicable !== undefined && (covered !== 'covered' || mayNeedAuthorization(paNeeded)));
}
