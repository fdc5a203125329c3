import type { Bundle, Claim } from '@medplum/fhirtypes';
import { PriorAuthError } from '../errors.ts';

/** The Claim of a request that was sent: its first entry. @throws PAS_BUNDLE_INVALID */
export function sentClaim(request: Bundle): Claim {
  const claim = request.entry?.[0]?.resource;
  if (claim?.resourceType !== 'Claim') throw new PriorAuthError('PAS_BUNDLE_INVALID', 'The stored request does not begin with a Claim.');
  return claim;
}
