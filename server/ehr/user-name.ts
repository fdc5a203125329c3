import { PriorAuthError } from '#prior-auth/errors.ts';
import type { SignedInUser } from '../smart/id-token.ts';
import type { EhrClient } from './ehr-client.ts';
import { summarize } from './source-summary.ts';

/** The user's name for the screen: from the record, else from the id token, else the reference itself. */
export async function readUserName(ehr: EhrClient, { reference, name }: SignedInUser): Promise<string> {
  try {
    const user = await ehr.follow(reference);
    const written = user && summarize(user).find(({ label }) => label === 'Name' || label === 'Clinician')?.value;
    return written ?? name ?? reference;
  } catch (error) {
    // An EHR need not let every app read its users.
    if (error instanceof PriorAuthError && (error.code === 'EHR_REFUSED' || error.code === 'SESSION_EXPIRED')) return name ?? reference;
    throw error;
  }
}
