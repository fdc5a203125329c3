import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Request, Response } from 'express';

/**
 * Sign-in with the operator's token. A session is a signed cookie, so that every process that has the same ADMIN_TOKEN knows it; a change of the token ends all.
 */
export interface AdminSession {
  /** The token is right. Takes as long for a wrong one. */
  knows(token: string): boolean;
  begin(response: Response): void;
  end(response: Response): void;
  /** The token came along as Bearer, as commands send it. Undefined: nothing was sent. */
  isBearer(request: Request): boolean | undefined;
  /** The session of a request, with the word its forms must send back; undefined: not signed in, or no longer. */
  of(request: Request): { readonly csrf: string } | undefined;
  isCsrf(given: unknown, session: { readonly csrf: string }): boolean;
}

/** A session holds for one page: its cookie goes nowhere else. */
export interface AdminPage {
  readonly path: string;
  readonly cookie: string;
}

const LIFE_MS = 30 * 60_000;

export function createAdminSession(adminToken: string, https: boolean, now: () => number, { path, cookie }: AdminPage): AdminSession {
  const sign = (text: string): string => createHmac('sha256', `${cookie} ${adminToken}`).update(text).digest('base64url');
  const attributes = `Path=${path}; HttpOnly; SameSite=Strict${https ? '; Secure' : ''}`;
  const knows = (token: string): boolean => sameText(token, adminToken);
  return {
    knows,
    begin(response) {
      const session = `${now() + LIFE_MS}.${randomBytes(16).toString('base64url')}`;
      response.setHeader('Set-Cookie', `${cookie}=${session}.${sign(session)}; Max-Age=${LIFE_MS / 1000}; ${attributes}`);
    },
    end: (response) => response.setHeader('Set-Cookie', `${cookie}=; Max-Age=0; ${attributes}`),
    isBearer(request) {
      const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
      return given === undefined ? undefined : knows(given);
    },
    of(request) {
      const [until, nonce, signature] = cookieOf(request, cookie)?.split('.') ?? [];
      if (!until || !nonce || !signature || !sameText(signature, sign(`${until}.${nonce}`)) || Number(until) <= now()) return undefined;
      return { csrf: sign(`csrf ${until}.${nonce}`) };
    },
    isCsrf: (given, session) => typeof given === 'string' && sameText(given, session.csrf),
  };
}

function cookieOf(request: Request, cookie: string): string | undefined {
  return request.headers.cookie?.split(';').map((each) => each.trim()).find((each) => each.startsWith(`${cookie}=`))?.slice(cookie.length + 1);
}

function sameText(a: string, b: string): boolean {
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
  return timingSafeEqual(digest(a), digest(b));
}
