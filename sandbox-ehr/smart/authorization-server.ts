import { createHash } from 'node:crypto';
import { type Context, errors, Provider, type Token } from 'oidc-provider';
import type { Logger } from 'pino';
import type { SigningKey } from '#store/signing-keys.ts';
import { scopeCovered } from '../fhir/access.ts';
import type { EhrDatabase } from '../tables.ts';
import { clientMetadata, type SmartClient } from './client.ts';
import { readGrantContext } from './launch-context.ts';
import { recordAdapter } from './record-adapter.ts';

export interface AuthorizationServerOptions {
  readonly db: EhrDatabase;
  readonly issuer: string;
  readonly fhirBase: string;
  readonly clients: readonly SmartClient[];
  /** First the ES384 key that signs access tokens, then the RS256 key that signs id tokens. */
  readonly keys: readonly SigningKey[];
  /** Of a practitioner, by reference. */
  readonly userName: (reference: string) => Promise<string | undefined>;
  readonly now: () => number;
  readonly log: Logger;
}

export const CONTEXT_SCOPES = ['openid', 'fhirUser', 'launch', 'launch/patient', 'offline_access', 'online_access'] as const;
const ACCESS_TOKEN_SECONDS = 900;
const DAY_SECONDS = 86_400;

export function createAuthorizationServer(options: AuthorizationServerOptions): Provider {
  const { db, issuer, fhirBase, clients, keys, userName, now, log } = options;
  const registered = new Map(clients.map((client) => [client.clientId, client]));
  const cookieKey = createHash('sha256').update(`cookies ${keys.map((key) => key.privateJwk.d).join()}`).digest('base64url');

  const provider = new Provider(issuer, {
    adapter: recordAdapter(db, now),
    clients: clients.map(clientMetadata),
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
    jwks: { keys: keys.map(({ privateJwk }) => ({ ...privateJwk, use: 'sig' })) },
    scopes: [...CONTEXT_SCOPES],
    claims: { openid: ['sub'], fhirUser: ['fhirUser', 'name'] },
    conformIdTokenClaims: false,
    clientAuthMethods: ['private_key_jwt', 'none'],
    enabledJWA: { clientAuthSigningAlgValues: ['ES384', 'RS384'] },
    responseTypes: ['code'],
    pkce: { required: () => true },
    extraParams: {
      launch: null,
      aud: (_ctx: Context, value: string | undefined) => {
        if (value?.replace(/\/$/, '') !== fhirBase) throw new errors.InvalidRequest('aud must be the FHIR base URL of this EHR');
      },
    },
    cookies: { keys: [cookieKey], long: { httpOnly: true, sameSite: 'lax' }, short: { httpOnly: true, sameSite: 'lax' } },
    routes: { authorization: '/authorize', token: '/token', jwks: '/jwks' },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => fhirBase,
        useGrantedResource: () => true,
        getResourceServerInfo: (ctx: Context) => ({
          scope: allowedScopes(ctx, registered).join(' '),
          audience: fhirBase,
          accessTokenTTL: ACCESS_TOKEN_SECONDS,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: keys[0]?.alg } },
        }),
      },
    },
    ttl: { AccessToken: ACCESS_TOKEN_SECONDS, AuthorizationCode: 60, ClientCredentials: 300, IdToken: 900, Interaction: 900, Session: 900, Grant: 30 * DAY_SECONDS, RefreshToken: 30 * DAY_SECONDS },
    rotateRefreshToken: true,
    expiresWithSession: () => false,
    interactions: { url: (_ctx: Context, interaction: { readonly uid: string }) => `${new URL(issuer).pathname}/interaction/${interaction.uid}` },
    // Every authorization is its own: consent for one patient never carries over to the next launch.
    loadExistingGrant: async (ctx: Context) => {
      const grantId = ctx.oidc.result?.consent?.grantId;
      return grantId ? provider.Grant.find(grantId) : undefined;
    },
    findAccount: (_ctx: Context, id: string) => ({ accountId: id, claims: async () => ({ sub: id, fhirUser: `${fhirBase}/${id}`, name: await userName(id) }) }),
    extraTokenClaims: async (_ctx: Context, token: Token) => {
      const context = token.grantId ? await readGrantContext(db, token.grantId) : undefined;
      return context ? { fhirUser: `${fhirBase}/${context.user}`, ...(context.patient ? { patient: context.patient } : {}) } : undefined;
    },
    renderError,
    // The keys of registered clients may well lie on this very machine; the addresses come from the registration, never from a request.
    fetch: (url: string, { dispatcher: _guarded, ...request }: RequestInit & { dispatcher?: unknown }) => fetch(url, request),
  });
  provider.proxy = true;
  provider.use(async (ctx, next) => {
    await next();
    if (ctx.oidc?.route === 'token' && ctx.status === 200) ctx.body = await withLaunchContext(ctx, db);
    if (ctx.status === 404 && !ctx.body) {
      ctx.body = { error: 'invalid_request', error_description: 'There is nothing at this address for this method.' };
      ctx.status = 404;
    }
  });
  provider.on('server_error', (_ctx, error) => log.error({ err: error }, 'authorization server fault'));
  return provider;
}

/** The requested or already granted scopes that the client's registration covers. */
function allowedScopes(ctx: Context, registered: ReadonlyMap<string, SmartClient>): string[] {
  const scopes = registered.get(ctx.oidc.client?.clientId ?? '')?.scope.split(' ') ?? [];
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities;
  const wanted = [ctx.oidc.params?.['scope'], AuthorizationCode?.scope, RefreshToken?.scope].flatMap((text) => text?.split(' ') ?? []);
  return [...new Set([...scopes, ...wanted])].filter((scope) => !(CONTEXT_SCOPES as readonly string[]).includes(scope) && scopeCovered(scope, scopes));
}

/** SMART 2.2 launch context beside the access token. */
async function withLaunchContext(ctx: Context, db: EhrDatabase): Promise<object> {
  const body = ctx.body as { readonly scope?: string };
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities;
  const source = AuthorizationCode ?? RefreshToken;
  const context = source?.grantId ? await readGrantContext(db, source.grantId) : undefined;
  if (!source || !context) return body;
  const contextScopes = (source.scope ?? '').split(' ').filter((scope) => (CONTEXT_SCOPES as readonly string[]).includes(scope));
  return {
    ...body,
    scope: [...new Set([...contextScopes, ...(body.scope ?? '').split(' ')])].filter(Boolean).join(' '),
    need_patient_banner: true,
    ...(context.patient ? { patient: context.patient } : {}),
    ...(context.encounter ? { encounter: context.encounter } : {}),
    ...(context.fhirContext.length > 0 ? { fhirContext: context.fhirContext } : {}),
  };
}

async function renderError(ctx: Context, out: { readonly error: string; readonly error_description?: string }): Promise<void> {
  if (ctx.accepts('json', 'html') !== 'html') {
    ctx.body = { error: out.error, ...(out.error_description ? { error_description: out.error_description } : {}) };
    return;
  }
  const { errorPage } = await import('./pages.ts');
  ctx.type = 'html';
  ctx.body = errorPage(out.error, out.error_description ?? '');
}
