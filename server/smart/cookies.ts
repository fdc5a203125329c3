import type { CookieOptions, Request } from 'express';

/**
 * SameSite=None and Partitioned let the panel live in the EHR's frame on another site; browsers take them only with Secure, hence only over https.
 * The worklist is never framed.
 */
export function cookieOptions(baseUrl: string, path: '/panel' | '/work', maxAgeMs: number): CookieOptions {
  const secure = baseUrl.startsWith('https:');
  const reach: CookieOptions = secure && path === '/panel' ? { sameSite: 'none', partitioned: true } : { sameSite: 'lax' };
  return { httpOnly: true, ...(secure ? { secure } : {}), ...reach, path, maxAge: maxAgeMs };
}

export function readCookie(request: Request, name: string): string | undefined {
  for (const part of (request.headers.cookie ?? '').split(';')) {
    const [key, ...value] = part.trim().split('=');
    if (key === name) return value.join('=');
  }
  return undefined;
}
