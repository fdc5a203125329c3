import express, { type ErrorRequestHandler, type Response, Router } from 'express';
import { rateLimit } from 'express-rate-limit';
import type { Logger } from 'pino';
import { z } from 'zod';
import { recordAudit } from '../audit.ts';
import type { PayerDatabase } from '../database.ts';
import { readFailure } from '../fhir-http.ts';
import { PAS_BASE_PATHS } from '../pas-version.ts';
import { ACCESS_TOKEN_SECONDS, issueAccessToken } from './access-token.ts';
import { type AssertionFinding, assertionReader, type RegisteredClient } from './client-assertion.ts';
import { grantScopes, SCOPES_SUPPORTED } from './scopes.ts';

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';
const TOKEN_REQUESTS_PER_MINUTE = 300;

const TokenRequest = z.object({
  grant_type: z.string(),
  scope: z.string().optional(),
  client_assertion_type: z.string().optional(),
  client_assertion: z.string().optional(),
});

export interface TokenRoutesOptions {
  readonly db: PayerDatabase;
  readonly baseUrl: string;
  readonly log: Logger;
  readonly now: () => number;
  readonly registeredClients: readonly RegisteredClient[];
}

/** SMART Backend Services: discovery and the token endpoint. */
export function tokenRoutes({ db, baseUrl, log, now, registeredClients }: TokenRoutesOptions): Router {
  const tokenUrl = `${baseUrl}/payer/oauth/token`;
  const readAssertion = assertionReader(registeredClients, tokenUrl, now);
  const router = Router();

  router.get(Object.values(PAS_BASE_PATHS).map((path) => `${path}/.well-known/smart-configuration`), (_req, res) => {
    res.json({
      token_endpoint: tokenUrl,
      grant_types_supported: ['client_credentials'],
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
      scopes_supported: SCOPES_SUPPORTED,
      capabilities: ['client-confidential-asymmetric', 'permission-v2'],
      code_challenge_methods_supported: ['S256'],
    });
  });

  router.post(
    '/payer/oauth/token',
    rateLimit({
      windowMs: 60_000,
      limit: TOKEN_REQUESTS_PER_MINUTE,
      standardHeaders: 'draft-8',
      legacyHeaders: false,
      handler: (_req, res) => refuse(res, 429, 'temporarily_unavailable', 'Too many token requests. Wait a minute.'),
    }),
    express.urlencoded({ extended: false, limit: '64kb' }),
    async (req, res) => {
      if (!req.is('application/x-www-form-urlencoded')) return refuse(res, 415, 'invalid_request', 'Send the parameters as application/x-www-form-urlencoded.');
      const parsed = TokenRequest.safeParse(req.body);
      if (!parsed.success) return refuse(res, 400, 'invalid_request', 'Send grant_type, scope, client_assertion_type and client_assertion once each.');
      const { grant_type, scope, client_assertion_type, client_assertion } = parsed.data;
      if (grant_type !== 'client_credentials') return refuse(res, 400, 'unsupported_grant_type', 'Only client_credentials is granted here.');
      if (client_assertion_type !== ASSERTION_TYPE || client_assertion === undefined) {
        return refuse(res, 401, 'invalid_client', `Authenticate with a client_assertion of the type ${ASSERTION_TYPE}.`);
      }
      const finding = await useOnce(db, now, await readAssertion(client_assertion));
      switch (finding.kind) {
        case 'keys-unreachable':
          log.warn('the key set of a registered client did not answer');
          return refuse(res, 503, 'temporarily_unavailable', 'The registered key set of the client did not answer.');
        case 'refused':
          await recordAudit(db, now(), { action: 'token-refused', who: 'unknown client', outcome: 'refused' });
          return refuse(res, 401, 'invalid_client', finding.reason);
        case 'believed': {
          const granted = grantScopes(scope ?? '');
          if (granted === '') return refuse(res, 400, 'invalid_scope', `Ask for at least one of: ${SCOPES_SUPPORTED.join(' ')}`);
          const access_token = await issueAccessToken(db, now(), finding.clientId, granted);
          await recordAudit(db, now(), { action: 'token-issued', who: finding.clientId });
          return void noStore(res).json({ access_token, token_type: 'Bearer', expires_in: ACCESS_TOKEN_SECONDS, scope: granted });
        }
      }
    },
  );

  router.use('/payer/oauth', (_req, res) => refuse(res, 404, 'invalid_request', 'There is nothing at this address for this method. POST to /payer/oauth/token.'));
  const oauthErrors: ErrorRequestHandler = (error, _req, res, _next) => {
    const { status, problems } = readFailure(error, log);
    refuse(res, status, status >= 500 ? 'server_error' : 'invalid_request', status >= 500 ? (problems[0]?.text ?? '') : 'The token request could not be read.');
  };
  router.use('/payer/oauth', oauthErrors);
  return router;
}

/** A jti is spent by its first use, whatever becomes of the request. */
async function useOnce(db: PayerDatabase, now: () => number, finding: AssertionFinding): Promise<AssertionFinding> {
  if (finding.kind !== 'believed') return finding;
  // Kept a little longer than the assertion lives, because verification allows for clock skew.
  await db.deleteFrom('payer.client_assertion').where('expires_at', '<', new Date(now() - 60_000).toISOString()).execute();
  const first = await db
    .insertInto('payer.client_assertion')
    .values({ client_id: finding.clientId, jti: finding.jti, expires_at: new Date(finding.expiresAtSeconds * 1000).toISOString() })
    .onConflict((conflict) => conflict.doNothing())
    .returning('jti')
    .executeTakeFirst();
  return first ? finding : { kind: 'refused', reason: 'The jti of the client assertion has been used before.' };
}

function noStore(res: Response): Response {
  return res.set('Cache-Control', 'no-store').set('Pragma', 'no-cache');
}

function refuse(res: Response, status: number, error: string, error_description: string): void {
  noStore(res).status(status).json({ error, error_description });
}
