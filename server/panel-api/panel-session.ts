import type { Request } from 'express';
import { PANEL_SESSION_HEADER } from '#prior-auth/panel-api.ts';
import { PANEL_SECRET_HEADER } from '#prior-auth/panel-launch-api.ts';
import { readCookie } from '../smart/cookies.ts';
import type { Session, Sessions } from '../smart/sessions.ts';

export function panelCookie(sessionId: string): string {
  return `panel_${sessionId}`;
}

/**
 * A call is believed when its header names a session and proves it: by the cookie of that session, or where no cookie comes back by the secret in a header.
 * Another site can send neither header nor, past SameSite or Partitioned, the cookie. Throws SESSION_EXPIRED.
 */
export function resumePanel(sessions: Sessions, request: Request): Promise<Session> {
  const id = request.get(PANEL_SESSION_HEADER);
  return sessions.resume('panel', id, id && (request.get(PANEL_SECRET_HEADER) ?? readCookie(request, panelCookie(id))));
}
