import type { Response } from 'express';
import { z } from 'zod';
import type { PriorAuthCase } from '#prior-auth/case.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { ORDER_TYPES } from '#prior-auth/order/requested-service.ts';
import { relativeReference } from '#fhir/base/reference.ts';
import { type EhrClient, openEhr } from '../ehr/ehr-client.ts';
import { openCase } from '../ehr/open-case.ts';
import { readLaunch } from '../ehr/read-launch.ts';
import type { OpenSessionEhr } from '../ehr/session-ehr.ts';
import { readUserName } from '../ehr/user-name.ts';
import type { PanelParts } from '../panel-api/panel-parts.ts';
import type { CaseOpening } from '../store/cases.ts';
import { panelCookie } from '../panel-api/panel-session.ts';
import { cookieOptions } from './cookies.ts';
import { DEFAULT_SCOPES, type EhrRegistration } from './ehr-registration.ts';
import type { RegisteredEhrs } from './registered-ehrs.ts';
import { type NotGranted, notGranted } from './scopes.ts';
import type { Session } from './sessions.ts';
import type { SignedIn, SignInOptions } from './sign-in.ts';
import { fetchStyle } from './smart-style.ts';
import type { LaunchContext } from './token-response.ts';

export interface PanelLaunchParts {
  readonly parts: PanelParts;
  readonly ehrs: RegisteredEhrs;
  readonly payers: PayerDirectory;
  readonly openSession: OpenSessionEhr;
  readonly baseUrl: string;
}

const issQuery = z.object({ iss: z.url().max(2000) });
const launchQuery = issQuery.extend({ launch: z.string().min(1).max(4000) });

/** EHR launch and standalone launch of the panel. After sign-in the order is read and its case opened, so that the screen starts with everything known; without an order the screen asks which. */
export function panelLaunch(launching: PanelLaunchParts): Pick<SignInOptions, 'starts' | 'clientAt' | 'signedIn'> {
  const { parts, ehrs, payers, baseUrl } = launching;
  const registered = (iss: string): EhrRegistration => {
    const ehr = ehrs.find(iss);
    if (!ehr) throw new PriorAuthError('LAUNCH_REFUSED', 'This EHR is not registered here.', { nextStep: 'Ask whoever runs this server to register the EHR’s FHIR address.' });
    return ehr;
  };
  return {
    starts: {
      '/launch'(query) {
        const parsed = launchQuery.safeParse(query);
        if (!parsed.success) throw new PriorAuthError('LAUNCH_REFUSED', 'This address works only from inside the EHR.', { nextStep: 'Open a patient’s chart in the EHR and start the panel from the order.' });
        const client = registered(parsed.data.iss);
        return { client, scope: client.scopes ?? DEFAULT_SCOPES, launch: { id: parsed.data.launch, iss: parsed.data.iss } };
      },
      '/standalone'(query) {
        const parsed = issQuery.safeParse(query);
        if (!parsed.success) throw new PriorAuthError('LAUNCH_REFUSED', 'This address does not say at which EHR to sign in.', { nextStep: 'Open the panel without a chart and choose the EHR.' });
        const client = registered(parsed.data.iss);
        return { client, scope: client.scopes ?? DEFAULT_SCOPES, standalone: true };
      },
    },
    clientAt: (ehrBase) => ehrs.find(ehrBase),
    async signedIn({ ehrBase, tokens, context, user, scope, askedScope, cookies }: SignedIn, response: Response) {
      const ehr = openEhr(ehrBase, async () => tokens.accessToken);
      const missing = notGranted(askedScope, scope);
      const styling = fetchStyle(registered(ehrBase), context.styleUrl, (why) => parts.log.warn({ why }, 'the EHR’s style is not used'));
      const opening = await openingOf(ehr, ehrBase, context, { payers, now: parts.now }).catch((error: unknown) => {
        throw withMissingRights(error, missing);
      });
      const found = opening && (await openCase(parts, opening, user.reference));
      const session = await parts.sessions.begin({
        kind: 'panel',
        ehrBase,
        user: { reference: user.reference, name: await readUserName(ehr, user) },
        patientId: context.patient ?? null,
        caseId: found?.id ?? null,
        needPatientBanner: context.needPatientBanner,
        launch: {
          style: { ...(await styling) },
          notGranted: [...missing],
          ...(context.encounter === undefined ? {} : { encounter: context.encounter }),
          ...(context.intent === undefined ? {} : { intent: context.intent }),
          ...(context.tenant === undefined ? {} : { tenant: context.tenant }),
        },
        tokens,
      });
      parts.audit.record({
        action: 'panel-launched', who: user.reference, what: [`Patient/${context.patient}`, ...(opening ? [opening.service.order] : [])],
        ...(found ? { caseId: found.id } : {}), details: { ehr: ehrBase, ...(context.tenant === undefined ? {} : { tenant: context.tenant }) },
      });
      if (found) followUp(launching, session, found);
      if (cookies === 'none') {
        // The fragment goes to no server and into no referrer; the page takes it out of its address at once.
        response.redirect(302, `/panel/?s=${session.id}#t=${await parts.sessions.handOver(session)}`);
        return;
      }
      response
        .cookie(panelCookie(session.id), session.secret, cookieOptions(baseUrl, '/panel', Date.parse(session.expiresAt) - parts.now()))
        .redirect(302, `/panel/?s=${session.id}`);
    },
  };
}

/** What is worked out behind an opened case. */
export function followUp({ parts, openSession }: PanelLaunchParts, session: Session, opened: PriorAuthCase): void {
  parts.metrics.note(opened.id, 'launch');
  const sessionEhr = openSession(session);
  keepRequester(parts, sessionEhr, opened).catch((error: unknown) => parts.log.warn({ err: error, caseId: opened.id }, 'the name of who ordered was not read'));
  void parts.gatherer.readRecord(sessionEhr, opened).then(
    (record) => parts.risks.begin(opened, sessionEhr, record, session.user.reference),
    (error: unknown) => parts.log.warn({ err: error, caseId: opened.id }, 'record not read for the denial risk'),
  );
}

/** The worklist reads nothing of the EHR: it has the name from here. */
async function keepRequester({ people }: PanelLaunchParts['parts'], ehr: EhrClient, { ehrBase, requester }: PriorAuthCase): Promise<void> {
  if (requester !== undefined) await people.keep(ehrBase, { reference: requester, name: await readUserName(ehr, { reference: requester }) });
}

/** Undefined when the EHR names no order: the person chooses one of the patient's. */
async function openingOf(ehr: EhrClient, ehrBase: string, context: LaunchContext, known: Parameters<typeof readLaunch>[3]): Promise<CaseOpening | undefined> {
  const references = [...context.references, ...(await referencesOfTasks(ehr, context)), ...(await referencesOfIdentifiers(ehr, context))];
  const named = references.some((reference) => [...ORDER_TYPES, 'QuestionnaireResponse'].some((type) => reference.startsWith(`${type}/`)));
  return named || !context.patient ? readLaunch(ehr, ehrBase, { ...context, references }, known) : undefined;
}

/** A Task that asks for a form says for which order (DTR 2.0.1, launch context): focus, basedOn, or an input. */
async function referencesOfTasks(ehr: EhrClient, { references }: LaunchContext): Promise<readonly string[]> {
  const tasks = await Promise.all(references.filter((reference) => reference.startsWith('Task/')).map((reference) => ehr.follow(reference)));
  return tasks.flatMap((task) =>
    task?.resourceType === 'Task' ? [task.focus, ...(task.basedOn ?? []), ...(task.input ?? []).map((input) => input.valueReference)].flatMap((each) => relativeReference(each?.reference ?? '') ?? []) : [],
  );
}

async function referencesOfIdentifiers(ehr: EhrClient, { identifiers, patient }: LaunchContext): Promise<readonly string[]> {
  const found = await Promise.all(
    identifiers.flatMap(({ type, system, value }) => {
      const orderType = ORDER_TYPES.find((each) => each === type);
      return orderType && patient ? [ehr.search(orderType, { patient, identifier: `${system ?? ''}|${value}` })] : [];
    }),
  );
  return found.flat().flatMap((resource) => (resource.id === undefined ? [] : [`${resource.resourceType}/${resource.id}`]));
}

/** The likeliest cause, when the EHR refuses what it had not granted. */
function withMissingRights(error: unknown, missing: readonly NotGranted[]): unknown {
  if (!(error instanceof PriorAuthError) || missing.length === 0) return error;
  const rights = missing.map(({ scope, cannot }) => `${scope} (${cannot})`).join(', ');
  return new PriorAuthError(error.code, error.message, { cause: error, retryable: error.retryable, nextStep: `${error.nextStep ?? ''} The EHR did not grant: ${rights}.`.trim() });
}
