import type { Response } from 'express';
import { z } from 'zod';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { OpenSessionEhr } from '../ehr/session-ehr.ts';
import { openCase } from '../ehr/open-case.ts';
import { openEhr } from '../ehr/ehr-client.ts';
import { readLaunch } from '../ehr/read-launch.ts';
import { readUserName } from '../ehr/user-name.ts';
import { panelCookie } from '../panel-api/panel-router.ts';
import type { PanelParts } from '../panel-api/panel-parts.ts';
import { cookieOptions } from './cookies.ts';
import { type EhrRegistration, findEhr } from './ehr-registration.ts';
import type { SignedIn, SignInOptions } from './sign-in.ts';

const launchQuery = z.object({ iss: z.url().max(2000), launch: z.string().min(1).max(4000) });

/** EHR launch of the panel. After sign-in the order is read and its case opened, so that the screen starts with everything known. */
export function panelLaunch(parts: PanelParts, ehrs: readonly EhrRegistration[], payers: PayerDirectory, openSession: OpenSessionEhr, baseUrl: string): Pick<SignInOptions, 'target' | 'clientIdAt' | 'signedIn'> {
  return {
    target(query) {
      const parsed = launchQuery.safeParse(query);
      if (!parsed.success) throw new PriorAuthError('LAUNCH_REFUSED', 'This address works only from inside the EHR.', { nextStep: 'Open a patient’s chart in the EHR and start the panel from the order.' });
      const ehr = findEhr(ehrs, parsed.data.iss);
      if (!ehr) throw new PriorAuthError('LAUNCH_REFUSED', 'This EHR is not registered here.', { nextStep: 'Ask whoever runs this server to register the EHR’s FHIR address.' });
      return { fhirBase: ehr.fhirBase, clientId: ehr.clientId, scope: ehr.scopes, launch: parsed.data.launch };
    },
    clientIdAt: (ehrBase) => findEhr(ehrs, ehrBase)?.clientId,
    async signedIn({ ehrBase, tokens, context, user }: SignedIn, response: Response) {
      const ehr = openEhr(ehrBase, async () => tokens.accessToken);
      const opening = await readLaunch(ehr, ehrBase, context, payers);
      const opened = await openCase(parts, opening, user.reference);
      const session = await parts.sessions.begin({
        kind: 'panel',
        ehrBase,
        user: { reference: user.reference, name: await readUserName(ehr, user) },
        patientId: opening.patient.id,
        caseId: opened.id,
        needPatientBanner: context.needPatientBanner,
        tokens,
      });
      parts.audit.record({ action: 'panel-launched', who: user.reference, what: [`Patient/${opening.patient.id}`, opening.service.order], caseId: opened.id });
      const sessionEhr = openSession(session);
      void parts.gatherer.readRecord(sessionEhr, opened).then(
        (record) => parts.risks.begin(opened, sessionEhr, record, user.reference),
        (error: unknown) => parts.log.warn({ err: error, caseId: opened.id }, 'record not read for the denial risk'),
      );
      response
        .cookie(panelCookie(session.id), session.secret, cookieOptions(baseUrl, '/panel', Date.parse(session.expiresAt) - parts.now()))
        .redirect(302, `/panel/?s=${session.id}`);
    },
  };
}
