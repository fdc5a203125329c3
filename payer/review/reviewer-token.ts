import { createHash, timingSafeEqual } from 'node:crypto';
import type { RequestHandler, Response } from 'express';

/** Lets the bearer of the reviewers' token through, and nobody when there is none. */
export function bearerOf(reviewerToken: string | undefined): RequestHandler {
  const digest = (text: string) => createHash('sha256').update(text).digest();
  return (req, res, next) => {
    const given = /^Bearer (.+)$/i.exec(req.get('authorization') ?? '')?.[1];
    if (reviewerToken && given !== undefined && timingSafeEqual(digest(given), digest(reviewerToken))) return next();
    refuse(res.set('WWW-Authenticate', 'Bearer realm="payer-review"'), 401, 'REVIEWER_UNKNOWN', 'Send the reviewer token as a Bearer token.');
  };
}

export function refuse(res: Response, status: number, code: string, message: string): void {
  res.status(status).json({ error: { code, message } });
}
