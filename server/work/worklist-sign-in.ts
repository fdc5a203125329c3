import type { Response } from 'express';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { openEhr } from '../ehr/ehr-client.ts';
import { readUserName } from '../ehr/user-name.ts';
import { cookieOptions } from '../smart/cookies.ts';
import type { EhrRegistration } from '../smart/ehr-registration.ts';
import type { RegisteredEhrs } from '../smart/registered-ehrs.ts';
import type { Sessions } from '../smart/sessions.ts';
import type { SignedIn, SignInOptions } from '../smart/sign-in.ts';

export const WORK_COOKIE = 'work_session';

const clientOf = (ehr: EhrRegistration): EhrRegistration => ({ ...ehr, clientId: ehr.worklistClientId ?? 'open-prior-auth-worklist' });

/** Staff sign in at the first EHR, stand-alone: who they are, no patient. The cookie carries the session's id and secret. */
export function worklistSignIn(sessions: Sessions, ehrs: RegisteredEhrs, baseUrl: string, now: () => number): Pick<SignInOptions, 'starts' | 'clientAt' | 'signedIn'> {
  return {
    starts: {
      '/login'({ again }) {
        const enabled = ehrs.list().map(({ ehr }) => ehr).filter((ehr) => ehr.disabled !== true);
        const ehr = enabled.find((each) => each.worklistClientId !== undefined) ?? enabled[0];
        if (!ehr) throw new PriorAuthError('LAUNCH_REFUSED', 'No EHR is registered at which staff could sign in.', { nextStep: 'Ask whoever runs this server to register one.' });
        return { client: clientOf(ehr), scope: 'openid fhirUser', askAgain: again !== undefined };
      },
    },
    clientAt(ehrBase) {
      const ehr = ehrs.find(ehrBase);
      return ehr && clientOf(ehr);
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
        launch: { style: {}, notGranted: [] },
        tokens,
      });
      response.cookie(WORK_COOKIE, `${session.id}.${session.secret}`, cookieOptions(baseUrl, '/work', Date.parse(session.expiresAt) - now())).redirect(302, '/work/');
    },
  };
}
