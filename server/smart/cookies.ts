import type { CookieOptions, Request } from 'express';

/** SameSite=None and Partitioned let the panel live in the EHR's frame on another site; browsers take them only with Secure, hence only over https. */
export function cookieOptions(baseUrl: string, path: string, maxAgeMs: number): CookieOptions {
  return baseUrl.startsWith('https:')
    ? { httpOnly: true, secure: true, sameSite: 'none', partitioned: true, path, maxAge: maxAgeMs }
    : { httpOnly: true, sameSite: 'lax', path, maxAge: maxAgeMs };
}

export function readCookie(request: Request, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, ...value] = part.trim().split('=');
    if (key === name) return value.join('=');
  }
  return undefined;
}
