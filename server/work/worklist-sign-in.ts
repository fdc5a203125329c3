import type { Response } from 'express';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { openEhr } from '../ehr/ehr-client.ts';
import { readUserName } from '../ehr/user-name.ts';
import { cookieOptions } from '../smart/cookies.ts';
import { type EhrRegistration, findEhr } from '../smart/ehr-registration.ts';
import type { Sessions } from '../smart/sessions.ts';
import type { SignedIn, SignInOptions } from '../smart/sign-in.ts';

export const WORK_COOKIE = 'work_session';

const clientIdOf = (ehr: EhrRegistration) => ehr.worklistClientId ?? 'open-prior-auth-worklist';

/** Staff sign in at the first EHR, stand-alone: who they are, no patient. The cookie carries the session's id and secret. */
export function worklistSignIn(sessions: Sessions, ehrs: readonly EhrRegistration[], baseUrl: string, now: () => number): Pick<SignInOptions, 'target' | 'clientIdAt' | 'signedIn'> {
  return {
    target({ again }) {
      const [ehr] = ehrs;
      if (!ehr) throw new PriorAuthError('LAUNCH_REFUSED', 'No EHR is registered at which staff could sign in.', { nextStep: 'Ask whoever runs this server to register one.' });
      return { fhirBase: ehr.fhirBase, clientId: clientIdOf(ehr), scope: 'openid fhirUser', askAgain: again !== undefined };
    },
    clientIdAt: (ehrBase) => {
      const ehr = findEhr(ehrs, ehrBase);
      return ehr && clientIdOf(ehr);
    },
    async signedIn({ ehrBase, tokens, user }: SignedIn, response: Response) {
      const ehr = openEhr(ehrBase, async () => tokens.accessToken);
      const session = await sessions.begin({
        kind: 'work',
        ehrBase,
        user: { reference: user.reference, name: await readUserName(ehr, user) },
        patientId: null,
        caseId: null,
        needPatientBanner: false,
        tokens,
      });
      response.cookie(WORK_COOKIE, `${session.id}.${session.secret}`, cookieOptions(baseUrl, '/work', Date.parse(session.expiresAt) - now())).redirect(302, '/work/');
    },
  };
}
