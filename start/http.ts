import { randomBytes } from 'node:crypto';
import type { ErrorRequestHandler, RequestHandler } from 'express';
import helmet from 'helmet';
import type { Logger } from 'pino';
import { Histogram, type Registry } from 'prom-client';

/** The part of a path that may be logged and counted: never an id. */
export function routeName(path: string): string {
  const [first = '', second = ''] = path.split('/').filter(Boolean);
  const known = ['ehr', 'cds-services', 'admin', 'panel', 'work', 'payer', 'pas', 'assets', 'healthz', 'readyz', 'metrics', '.well-known'];
  if (first === '') return '/';
  if (!known.includes(first)) return 'other';
  return ['ehr', 'payer', 'panel', 'work'].includes(first) && ['fhir', 'oauth', 'ui', 'api', 'review'].includes(second) ? `/${first}/${second}` : `/${first}`;
}

/** Counts and logs each answer by method, route and status: no address, no id, no query. */
export function observeRequests(log: Logger, registry: Registry): RequestHandler {
  const seconds = new Histogram({
    name: 'http_request_duration_seconds',
    help: 'Time to answer, by route and status.',
    labelNames: ['method', 'route', 'status'],
    buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10],
    registers: [registry],
  });
  const logging = log.isLevelEnabled('info');
  return (request, response, next) => {
    const startedAt = performance.now();
    const route = routeName(request.path);
    response.on('finish', () => {
      const ms = performance.now() - startedAt;
      seconds.observe({ method: request.method, route, status: String(response.statusCode) }, ms / 1000);
      if (logging) log.info({ method: request.method, route, status: response.statusCode, ms: Math.round(ms) }, 'answered');
    });
    next();
  };
}

/** Headers of the screens. Only the panel may be framed by others, and only by registered EHRs and the origins the operator names. */
export function guardScreens(panelFrameAncestors: () => readonly string[], https: boolean): RequestHandler {
  const policy = (frameAncestors: () => readonly string[]) =>
    helmet({
      contentSecurityPolicy: {
        useDefaults: true,
        directives: {
          'script-src': ["'self'"],
          'style-src': ["'self'", "'unsafe-inline'"],
          'img-src': ["'self'", 'data:'],
          'media-src': ["'self'", 'data:'],
          'font-src': ["'self'", 'data:'],
          'frame-ancestors': ["'self'", () => frameAncestors().join(' ')],
          // Sign-in ends with a redirect to the registered client, which may live elsewhere.
          'form-action': null,
          'upgrade-insecure-requests': https ? [] : null,
        },
      },
      frameguard: false,
      strictTransportSecurity: https,
      crossOriginResourcePolicy: { policy: 'cross-origin' },
      referrerPolicy: { policy: 'no-referrer' },
    });
  const framed = policy(panelFrameAncestors);
  const unframed = policy(() => []);
  return (request, response, next) => (request.path.startsWith('/panel') ? framed : unframed)(request, response, next);
}

/** Last resort for what no part has answered for: an id to search the log by, never a stack. */
export function answerFaults(log: Logger): ErrorRequestHandler {
  return (error, _request, response, next) => {
    if (response.headersSent) return next(error);
    const status = typeof error?.status === 'number' && error.status >= 400 && error.status < 500 ? error.status : 500;
    if (status < 500) {
      response.status(status).json({ error: { code: 'REQUEST_INVALID', message: 'The request could not be read.', nextStep: 'Check its address, its body and its content type.' } });
      return;
    }
    const reference = randomBytes(6).toString('hex');
    log.error({ reference, err: { type: error?.name, code: error?.code, message: error?.message, stack: error?.stack } }, 'unexpected fault');
    response.status(500).json({ error: { code: 'UNEXPECTED', message: `Something went wrong on our side (reference ${reference}).`, nextStep: 'Try again; if it happens again, give the reference to your administrator.' } });
  };
}
