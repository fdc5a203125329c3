import type { Request, RequestHandler, Response, Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import type { AuditTrail } from '#store/audit.ts';
import type { AdminSession } from './admin-session.ts';
import { type Html, html, sendPage } from './html.ts';

export interface AdminPagesOptions {
  readonly path: string;
  readonly title: string;
  readonly session: AdminSession;
  readonly audit: AuditTrail;
  readonly log: Logger;
  /** Other pages of the same session, to which signing in leads back. */
  readonly others?: readonly string[];
}

/** What every page of the operator shares: plain forms, no script; a change needs the session's cookie and the word of its form. */
export interface AdminPages {
  /** A fault is told on the page, and nothing of it but its name is logged. */
  readonly answering: (handle: (request: Request, response: Response) => Promise<void> | void) => RequestHandler;
  /** For who is signed in and sends the form's own word. */
  readonly changing: (handle: (request: Request, response: Response, csrf: string) => Promise<void> | void) => RequestHandler;
  /** Shows the page to who is signed in; the sign-in form to others. */
  readonly reading: (handle: (request: Request, response: Response, csrf: string) => Promise<void> | void) => RequestHandler;
  readonly back: (response: Response, done?: string) => void;
  /** `POST path/sign-in` and `path/sign-out`; bodies must have been read before. What forms are sent to leads to the page when it is opened. */
  readonly addSession: (router: Router) => void;
}

/** Of one address, in a quarter of an hour. */
const SIGN_IN_TRIES = 10;

export function createAdminPages({ path, title, session, audit, log, others = [] }: AdminPagesOptions): AdminPages {
  const answering: AdminPages['answering'] = (handle) => async (request, response) => {
    try {
      await handle(request, response);
    } catch (error) {
      log.error({ fault: error instanceof Error ? error.name : typeof error }, 'admin page failed');
      if (!response.headersSent) sendPage(response, 503, title, html`<p role="alert">The registrations cannot be reached at the moment. Nothing was changed. Try again in a minute.</p>`);
    }
  };
  const askForToken = (response: Response, status: number, { to, wrong = false }: { readonly to?: unknown; readonly wrong?: boolean } = {}): void =>
    sendPage(response, status, title, signInForm(path, { wrong, ...(isOther(to) ? { to } : {}) }), wrong ? `Wrong token: ${title}` : title);
  const isOther = (to: unknown): to is string => others.some((other) => other === to);
  const changing: AdminPages['changing'] = (handle) =>
    answering((request, response) => {
      const known = session.of(request);
      if (!known) return askForToken(response, 401);
      const { csrf } = (request.body ?? {}) as { readonly csrf?: unknown };
      if (session.isCsrf(csrf, known)) return handle(request, response, known.csrf);
      audit.record({ action: 'admin-refused', who: 'admin', outcome: 'refused', details: { why: 'csrf' } });
      return sendPage(response, 403, title, html`<p role="alert">The form is too old, or did not come from this page. <a href="${path}">Open the page again.</a></p>`);
    });
  const reading: AdminPages['reading'] = (handle) =>
    answering((request, response) => {
      const known = session.of(request);
      return known ? handle(request, response, known.csrf) : askForToken(response, 200, { to: request.path });
    });
  const back: AdminPages['back'] = (response, done) => {
    response.writeHead(303, { Location: done === undefined ? path : `${path}?done=${done}` }).end();
  };
  const tries = rateLimit({ windowMs: 15 * 60_000, limit: SIGN_IN_TRIES, skipSuccessfulRequests: true, requestWasSuccessful: (_request, response) => response.statusCode === 303, standardHeaders: 'draft-8', legacyHeaders: false });
  return {
    answering, changing, reading, back,
    addSession(router) {
      router.post(`${path}/sign-in`, tries, answering((request, response) => {
        const { token, to } = (request.body ?? {}) as { readonly token?: unknown; readonly to?: unknown };
        const right = typeof token === 'string' && session.knows(token);
        audit.record({ action: right ? 'admin-signed-in' : 'admin-refused', who: 'admin', ...(right ? {} : { outcome: 'refused' as const, details: { why: 'token' } }) });
        if (!right) return askForToken(response, 401, { to, wrong: true });
        session.begin(response);
        response.writeHead(303, { Location: isOther(to) ? to : path }).end();
      }));
      router.post(`${path}/sign-out`, changing((_request, response) => {
        session.end(response);
        back(response);
      }));
      // What a form was sent to stands in the address bar; loaded again from there, it is asked for.
      router.get([`${path}/sign-in`, `${path}/sign-out`, `${path}/:id/:change`], (_request, response) => back(response));
    },
  };
}

/** Opens the session with the operator's token. `to`: the page to open then, one of `others`. */
export function signInForm(path: string, { wrong = false, to }: { readonly wrong?: boolean; readonly to?: string } = {}): Html {
  return html`${wrong ? html`<p class="notice" role="alert" id="token-fault">That is not the admin token.</p>` : ''}
<form method="post" action="${path}/sign-in">${to === undefined ? '' : html`<input type="hidden" name="to" value="${to}">`}<label for="token">Admin token</label><p class="hint" id="token-hint">The value of ADMIN_TOKEN of this installation.</p>
<input id="token" name="token" type="password" autocomplete="current-password" required aria-describedby="token-hint${wrong ? ' token-fault' : ''}"${{ html: wrong ? ' aria-invalid="true" autofocus' : '' }}><button>Sign in</button></form>`;
}
