import { type NextFunction, type Request, type RequestHandler, type Response, Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { AuditTrail } from '#store/audit.ts';
import { STATUS_OF_ERROR } from '../error-reply.ts';
import { finishAuthorization, type SmartClientIdentity, startAuthorization } from './authorization.ts';
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
}

export interface SignInOptions {
  readonly kind: SessionKind;
  readonly path: '/panel' | '/work';
  /** `/launch` or `/login`, below `path`. */
  readonly startPath: string;
  readonly identity: SmartClientIdentity;
  readonly sessions: Sessions;
  readonly audit: AuditTrail;
  readonly log: Logger;
  /** Throws LAUNCH_REFUSED. */
  readonly target: (query: Request['query']) => SignInTarget;
  /** The client that signed in, for the id token's audience. */
  readonly clientIdAt: (ehrBase: string) => string | undefined;
  /** Opens the session and sends the browser on. */
  readonly signedIn: (signedIn: SignedIn, response: Response) => Promise<void>;
}

interface SignInTarget {
  readonly fhirBase: string;
  readonly clientId: string;
  readonly scope: string;
  readonly launch?: string;
  /** Ask who it is, even when the EHR still knows (OpenID Connect Core §3.1.2.1, prompt=login). */
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
  router.get(`${path}${options.startPath}`, fewFromOneAddress(), page(options, async (request, response) => {
    const target = options.target(request.query);
    const { state, url: plainUrl, pending } = await startAuthorization(identity, { ...target, redirectUri });
    const browserSecret = newSecret();
    const url = new URL(plainUrl);
    if (target.askAgain) url.searchParams.set('prompt', 'login');
    await sessions.keepPending(kind, target.fhirBase, state, browserSecret, pending);
    response
      .cookie(stateCookie(kind, state), browserSecret, cookieOptions(identity.baseUrl, path, STATE_COOKIE_MS))
      .set('cache-control', 'no-store')
      .redirect(302, url.href);
  }));

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
    const begun = browserSecret === undefined ? undefined : await sessions.takePending(kind, state, browserSecret);
    if (!begun) throw refused('This sign-in was used before, is too old, or was begun in another browser.');
    const read = readTokenResponse(await finishAuthorization(identity, { state, code, pending: begun.pending }), identity.now);
    const clientId = options.clientIdAt(begun.ehrBase);
    if (clientId === undefined) throw refused('The EHR of this sign-in is not registered any more.');
    const user = await verifyIdToken(read.idToken, { fhirBase: begun.ehrBase, clientId, now: identity.now });
    response.set('cache-control', 'no-store');
    await options.signedIn({ ...read, ehrBase: begun.ehrBase, user }, response);
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
