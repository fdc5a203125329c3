import { type RequestHandler, Router } from 'express';
import type { Provider } from 'oidc-provider';

/** oidc-provider below /ehr/oauth, fitted to this system. */
export function oauthRoutes(provider: Provider, baseUrl: string): Router {
  const { protocol, host } = new URL(baseUrl);
  const callback = provider.callback();
  const router = Router();
  router.use((request, _response, next) => {
    // Every address it hands out follows from baseUrl, whatever the client or a proxy wrote.
    request.headers['x-forwarded-proto'] = protocol.slice(0, -1);
    request.headers['x-forwarded-host'] = host;
    delete request.headers['x-forwarded-for'];
    forgetSession(request.headers);
    next();
  });
  router.get('/authorize', askConsentForRefreshTokens);
  router.use((request, response) => void callback(request, response));
  return router;
}

/** Who is signed in is known from the EHR's own session. oidc-provider's would carry one user's sign-in into another's launch. */
function forgetSession(headers: { cookie?: string | undefined }): void {
  const kept = (headers.cookie ?? '').split(';').filter((part) => !/^\s*_session(\.legacy)?(\.sig)?=/.test(part));
  headers.cookie = kept.join(';');
}

/** OpenID Connect Core §11 gives refresh tokens only with prompt=consent; SMART apps do not send it, and consent is asked anew at each launch anyway. */
const askConsentForRefreshTokens: RequestHandler = (request, _response, next) => {
  const [path, query] = request.url.split('?');
  const parameters = new URLSearchParams(query);
  if ((parameters.get('scope') ?? '').split(' ').includes('offline_access') && !parameters.has('prompt')) {
    parameters.set('prompt', 'consent');
    const suffix = `?${parameters.toString()}`;
    request.originalUrl = request.originalUrl.split('?')[0] + suffix;
    request.url = `${path}${suffix}`;
  }
  next();
};
