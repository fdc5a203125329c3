import { createHash, randomBytes } from 'node:crypto';
import type { Request, Response } from 'express';
import type { EhrDatabase } from '../tables.ts';

const COOKIE = 'ehr_session';
const LIFETIME_MS = 12 * 3_600_000;

export interface UiSessions {
  /** The signed-in user, "Practitioner/…". */
  userOf(request: Request): Promise<string | undefined>;
  open(response: Response, user: string): Promise<void>;
  close(request: Request, response: Response): Promise<void>;
}

/** Browser sessions of the sandbox's screens. Only a hash of the cookie is stored. */
export function uiSessions(db: EhrDatabase, now: () => number, secure: boolean): UiSessions {
  const cookie = (value: string, maxAgeSeconds: number): string => `${COOKIE}=${value}; Path=/; HttpOnly; SameSite=Lax; Max-Age=${maxAgeSeconds}${secure ? '; Secure' : ''}`;
  return {
    async userOf(request) {
      const secret = readCookie(request);
      if (!secret) return undefined;
      const row = await db.selectFrom('ehr.ui_session').select('user_reference').where('id_hash', '=', hash(secret)).where('expires_ms', '>', now()).executeTakeFirst();
      return row?.user_reference;
    },
    async open(response, user) {
      const secret = randomBytes(32).toString('base64url');
      await db.insertInto('ehr.ui_session').values({ id_hash: hash(secret), user_reference: user, expires_ms: now() + LIFETIME_MS }).execute();
      response.append('Set-Cookie', cookie(secret, LIFETIME_MS / 1000));
    },
    async close(request, response) {
      const secret = readCookie(request);
      if (secret) await db.deleteFrom('ehr.ui_session').where('id_hash', '=', hash(secret)).execute();
      response.append('Set-Cookie', cookie('', 0));
    },
  };
}

const hash = (secret: string): string => createHash('sha256').update(secret).digest('hex');

function readCookie(request: Request): string | undefined {
  const found = (request.headers.cookie ?? '').split(';').map((part) => part.trim()).find((part) => part.startsWith(`${COOKIE}=`));
  return found?.slice(COOKIE.length + 1) || undefined;
}
