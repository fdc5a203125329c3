import { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { AuditTrail } from '#store/audit.ts';
import { STATUS_OF_ERROR } from '../error-reply.ts';
import { type EhrClientRegistration, finishAuthorization, type SmartClientIdentity, startAuthorization } from './authorization.ts';
import { cookieOptions, readCookie } from './cookies.ts';
import { sendErrorPage } from './error-page.ts';
import { verifyIdToken, type SignedInUser } from './id-token.ts';
import { hashOf, newSecret } from './seal.ts';
import type { SessionKind, Sessions } from './sessions.ts';
import { readTokenResponse, type ReadTokenResponse } from './token-response.ts';

/** A sign-in that came through: the browser is the one that began it, the code was exchanged, the user's name is signed. */
export interface SignedIn extends ReadTokenResponse {
  readonly ehrBase: string;
  readonly user: SignedInUser;
  /** As asked for. */
  readonly askedScope: string;
  /** `none`: the browser keeps no cookie of ours in this frame. */
  readonly cookies: 'kept' | 'none';
}

export interface SignInOptions {
  readonly kind: SessionKind;
  readonly path: '/panel' | '/work';
  readonly identity: SmartClientIdentity;
  readonly sessions: Sessions;
  readonly audit: AuditTrail;
  readonly log: Logger;
  /** By address below `path`, where a sign-in may start. Throws LAUNCH_REFUSED. */
  readonly starts: Readonly<Record<`/${string}`, (query: Request['query']) => SignInTarget>>;
  /** The client that signs in at that EHR; undefined when it is not registered any more. */
  readonly clientAt: (ehrBase: string) => EhrClientRegistration | undefined;
  /** Opens the session and sends the browser on. */
  readonly signedIn: (signedIn: SignedIn, response: Response) => Promise<void>;
}

interface SignInTarget {
  readonly client: EhrClientRegistration;
  readonly scope: string;
  readonly launch?: { readonly id: string; readonly iss: string };
  readonly standalone?: boolean;
  readonly askAgain?: boolean;
}

const STATE_COOKIE_MS = 10 * 60_000;
const callbackQuery = z.union([
  z.object({ state: z.string().min(1).max(500), code: z.string().min(1).max(4000) }),
  z.object({ error: z.string().max(200), state: z.string().max(500).optional() }),
]);

/** Both halves of a SMART sign-in: leave for the EHR, come back once, from the same browser. */
export function signInRouter(options: SignInOptions): Router {
  const { identity, sessions, kind, path } = options;
  const redirectUri = `${identity.baseUrl}${path}/callback`;
  const router = Router();
  for (const [startPath, targetOf] of Object.entries(options.starts)) {
    router.get(`${path}${startPath}`, fewFromOneAddress(), page(options, async (request, response) => {
      const target = targetOf(request.query);
      const { state, url, pending } = await startAuthorization({ ...target, redirectUri });
      const browserSecret = newSecret();
      await sessions.keepPending(kind, target.client.fhirBase, state, { ...pending, browser: hashOf(browserSecret) });
      response
        .cookie(stateCookie(kind, state), browserSecret, cookieOptions(identity.baseUrl, path, STATE_COOKIE_MS))
        .set('cache-control', 'no-store')
        .redirect(302, url);
    }));
  }

  router.get(`${path}/callback`, fewFromOneAddress(), page(options, async (request, response) => {
    const query = callbackQuery.safeParse(request.query);
    if (!query.success) throw refused('The EHR’s answer is not complete.');
    if ('error' in query.data) {
      throw query.data.error === 'access_denied'
        ? new PriorAuthError('LAUNCH_REFUSED', 'The EHR did not allow it.', { nextStep: 'If you pressed cancel, open it again and allow access. Else ask whoever looks after the EHR for access.' })
        : refused('The EHR ended the sign-in with an error.');
    }
    const { state, code } = query.data;
    const browserSecret = readCookie(request, stateCookie(kind, state));
    response.clearCookie(stateCookie(kind, state), cookieOptions(identity.baseUrl, path, 0));
    const cookies = browserSecret === undefined ? 'none' : 'kept';
    if (cookies === 'none' && !(kind === 'panel' && isFramed(request))) throw notThisBrowser();
    const begun = await sessions.takePending(kind, state);
    if (!begun || (browserSecret !== undefined && hashOf(browserSecret) !== begun.pending.browser)) throw notThisBrowser();
    const client = options.clientAt(begun.ehrBase);
    if (client === undefined) throw refused('The EHR of this sign-in is not registered any more.');
    const read = readTokenResponse(await finishAuthorization(identity, client, code, begun.pending), identity.now);
    const user = await verifyIdToken(read.idToken, { fhirBase: begun.ehrBase, clientId: client.clientId, nonce: begun.pending.nonce, now: identity.now });
    response.set('cache-control', 'no-store');
    await options.signedIn({ ...read, ehrBase: begun.ehrBase, user, askedScope: begun.pending.scope, cookies }, response);
  }));
  return router;
}

/** A clinic's users may share one address; a program that tries codes does not stay below this. */
function fewFromOneAddress(): RequestHandler {
  return rateLimit({
    windowMs: 60_000,
    limit: 300,
    standardHeaders: 'draft-8',
    legacyHeaders: false,
    handler: (_request, response) => sendErrorPage(response, 429, { title: 'Too many sign-ins', message: 'Too many sign-ins came from your network.', nextStep: 'Wait a minute, then open it again from the EHR.' }),
  });
}

/** One cookie per sign-in: two charts opened at once do not disturb each other. */
function stateCookie(kind: SessionKind, state: string): string {
  return `${kind}_state_${hashOf(state).slice(0, 12)}`;
}

/**
 * A browser that blocks cookies in frames cannot show that it is the one that began. Its frame can: frame-ancestors lets only pages of registered
 * EHRs show the answer, so nobody else can make it a session of their choice. docs/decisions/panel-in-a-frame.md
 */
function isFramed(request: Request): boolean {
  const destination = request.get('sec-fetch-dest');
  return destination === 'iframe' || destination === 'frame';
}

function notThisBrowser(): PriorAuthError {
  return refused('This sign-in was used before, is too old, or was begun in another browser.');
}

function refused(message: string): PriorAuthError {
  return new PriorAuthError('LAUNCH_REFUSED', message, { nextStep: 'Open it again from the EHR.' });
}

function page({ audit, log, kind }: SignInOptions, handler: (request: Request, response: Response) => Promise<void>): RequestHandler {
  return async (request: Request, response: Response, next: NextFunction) => {
    try {
      await handler(request, response);
    } catch (error) {
      if (!(error instanceof PriorAuthError)) {
        log.error({ err: error }, 'unexpected fault in sign-in');
        if (response.headersSent) return next(error);
        return sendErrorPage(response, 500, { title: 'It could not be opened', message: 'Something went wrong on our side.', nextStep: 'Open it again from the EHR. If it happens again, tell whoever runs this server the time it happened.' });
      }
      log.info({ code: error.code, err: error }, 'sign-in refused');
      if (kind === 'panel') audit.record({ action: 'panel-launched', who: 'unknown', outcome: 'refused', details: { code: error.code } });
      sendErrorPage(response, STATUS_OF_ERROR[error.code], { title: 'It could not be opened', message: error.message, nextStep: error.nextStep ?? 'Open it again from the EHR.' });
    }
  };
}
