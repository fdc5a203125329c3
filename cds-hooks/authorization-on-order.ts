import { mayNeedAuthorization } from '#prior-auth/coverage-requirement/requirement.ts';
import { carriedUnder } from './coverage-action.ts';
import type { DeterminedFocus } from './determined-focus.ts';

/**
 * A policy library knows no authorizations. One that the order carries under this coverage, with its number, came from the payer: where the library would ask
 * for an authorization, the payer's word on the order stands and nothing is asked, up to the day on which it expires. What the library knows otherwise (not
 * covered, coverage ended) goes before it.
 */
export function carriesAuthorization({ focus, byPayer, today, determination: { requirement } }: DeterminedFocus): boolean {
  const { coverage, paNeeded, cause } = requirement;
  if (byPayer || cause !== undefined || !mayNeedAuthorization(paNeeded)) return false;
  return carriedUnder(focus, coverage).some((each) => each.paNeeded === 'satisfied' && each.satisfiedPaId !== undefined && (each.expiryDate === undefined || each.expiryDate >= today));
}
