import { createHash } from 'node:crypto';
import { type Context, errors, Provider, type Token } from 'oidc-provider';
import type { Logger } from 'pino';
import type { SigningKey } from '#store/signing-keys.ts';
import { scopeCovered } from '../fhir/access.ts';
import type { EhrDatabase } from '../tables.ts';
import type { AccessTokens } from './access-token.ts';
import type { ClientRegister } from './client-register.ts';
import { type LaunchContext, readGrantContext } from './launch-context.ts';
import { recordAdapter } from './record-adapter.ts';

export interface AuthorizationServerOptions {
  readonly db: EhrDatabase;
  readonly issuer: string;
  readonly fhirBase: string;
  readonly clients: ClientRegister;
  readonly tokens: AccessTokens;
  readonly styleUrl: string;
  /** First the ES384 key that signs access tokens, then the RS256 key that signs id tokens. */
  readonly keys: readonly SigningKey[];
  /** Of a practitioner, by reference. */
  readonly userName: (reference: string) => Promise<string | undefined>;
  readonly now: () => number;
  readonly log: Logger;
}

export const CONTEXT_SCOPES = ['openid', 'fhirUser', 'launch', 'launch/patient', 'launch/encounter', 'offline_access', 'online_access'] as const;
const ACCESS_TOKEN_SECONDS = 900;
const DAY_SECONDS = 86_400;
/** Of online_access: while the user works. */
const SHIFT_SECONDS = 8 * 3_600;

export function createAuthorizationServer(options: AuthorizationServerOptions): Provider {
  const { db, issuer, fhirBase, clients, keys, userName, now, log } = options;
  const cookieKey = createHash('sha256').update(`cookies ${keys.map((key) => key.privateJwk.d).join()}`).digest('base64url');

  const provider = new Provider(issuer, {
    adapter: recordAdapter(db, clients, now),
    clientDefaults: { id_token_signed_response_alg: 'RS256' },
    jwks: { keys: keys.map(({ privateJwk }) => ({ ...privateJwk, use: 'sig' })) },
    scopes: [...CONTEXT_SCOPES],
    claims: { openid: ['sub'], fhirUser: ['fhirUser', 'name'] },
    conformIdTokenClaims: false,
    clientAuthMethods: ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'],
    // An app in a browser may call from where its redirects go to.
    clientBasedCORS: (_ctx: Context, origin: string, client: { readonly redirectUris?: readonly string[] }) => (client.redirectUris ?? []).some((uri) => URL.parse(uri)?.origin === origin),
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
    routes: { authorization: '/authorize', token: '/token', jwks: '/jwks', introspection: '/introspect', revocation: '/revoke' },
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      introspection: { enabled: true },
      revocation: { enabled: true },
      userinfo: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => fhirBase,
        useGrantedResource: () => true,
        getResourceServerInfo: async (ctx: Context) => ({
          scope: allowedScopes(ctx, (await clients.find(ctx.oidc.client?.clientId ?? ''))?.scope ?? '').join(' '),
          audience: fhirBase,
          accessTokenTTL: ACCESS_TOKEN_SECONDS,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: keys[0]?.alg } },
        }),
      },
    },
    ttl: { AccessToken: ACCESS_TOKEN_SECONDS, AuthorizationCode: 60, ClientCredentials: 300, IdToken: 900, Interaction: 900, Session: 900, Grant: 30 * DAY_SECONDS, RefreshToken: (_ctx: Context, token: { readonly scopes: ReadonlySet<string> }) => (token.scopes.has('offline_access') ? 30 * DAY_SECONDS : SHIFT_SECONDS) },
    rotateRefreshToken: true,
    issueRefreshToken: (_ctx: Context, client: { grantTypeAllowed(type: string): boolean }, code: { readonly scopes: ReadonlySet<string> }) =>
      client.grantTypeAllowed('refresh_token') && (code.scopes.has('offline_access') || code.scopes.has('online_access')),
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
      return context ? { fhirUser: `${fhirBase}/${context.user}`, grant: token.grantId, ...(context.patient ? { patient: context.patient } : {}) } : undefined;
    },
    renderError,
    // The keys of registered clients may well lie on this very machine; the addresses come from the registration, never from a request.
    fetch: (url: string, { dispatcher: _guarded, ...request }: RequestInit & { dispatcher?: unknown }) => fetch(url, request),
  });
  provider.proxy = true;
  provider.use(async (ctx, next) => {
    await next();
    const { route } = ctx.oidc ?? {};
    if (route === 'token' && ctx.status === 200) ctx.body = await withLaunchContext(ctx, options);
    // It asks for the client's proof first; only then does it say that it keeps no record of signed tokens.
    const ofSignedToken = ctx.status === 400 && (ctx.body as { readonly error?: string } | undefined)?.error === 'unsupported_token_type';
    if (route === 'introspection' && ofSignedToken) ctx.body = await introspected(ctx, options);
    if (route === 'revocation' && ofSignedToken) ctx.body = await revokeAccessToken(ctx, options);
    if (ofSignedToken) ctx.status = 200;
    if (ctx.status === 404 && !ctx.body) {
      ctx.body = { error: 'invalid_request', error_description: 'There is nothing at this address for this method.' };
      ctx.status = 404;
    }
  });
  provider.on('server_error', (_ctx, error) => log.error({ err: error }, 'authorization server fault'));
  return provider;
}

/** The requested or already granted scopes that the client's registration covers. */
function allowedScopes(ctx: Context, registered: string): string[] {
  const scopes = registered.split(' ');
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities;
  const wanted = [ctx.oidc.params?.['scope'], AuthorizationCode?.scope, RefreshToken?.scope].flatMap((text) => text?.split(' ') ?? []);
  return [...new Set([...scopes, ...wanted])].filter((scope) => !(CONTEXT_SCOPES as readonly string[]).includes(scope) && scopeCovered(scope, scopes));
}

/** SMART 2.2 launch context beside the access token, in the form that the client was registered for. */
async function withLaunchContext(ctx: Context, { db, clients, styleUrl }: AuthorizationServerOptions): Promise<object> {
  const body = ctx.body as { readonly scope?: string };
  const { AuthorizationCode, RefreshToken } = ctx.oidc.entities;
  const source = AuthorizationCode ?? RefreshToken;
  const context = source?.grantId ? await readGrantContext(db, source.grantId) : undefined;
  const client = await clients.find(ctx.oidc.client?.clientId ?? '');
  if (!source || !context) return body;
  const contextScopes = (source.scope ?? '').split(' ').filter((scope) => (CONTEXT_SCOPES as readonly string[]).includes(scope));
  return {
    ...body,
    scope: [...new Set([...contextScopes, ...(body.scope ?? '').split(' ')])].filter(Boolean).join(' '),
    need_patient_banner: client?.needPatientBanner ?? true,
    ...(client?.style === false ? {} : { smart_style_url: styleUrl }),
    ...contextOf(context, client?.fhirContextForm ?? 'object'),
  };
}

function contextOf({ patient, encounter, fhirContext, intent }: LaunchContext, form: 'object' | 'string'): object {
  return {
    ...(patient ? { patient } : {}),
    ...(encounter ? { encounter } : {}),
    ...(intent ? { intent } : {}),
    ...(fhirContext.length > 0 ? { fhirContext: form === 'string' ? fhirContext.map(({ reference }) => reference) : fhirContext } : {}),
  };
}

/** RFC 7662 with what SMART 2.2 adds. */
async function introspected(ctx: Context, { db, tokens }: AuthorizationServerOptions): Promise<object> {
  const claims = await tokens.inspect(ctx.oidc.params?.['token'] ?? '');
  if (!claims) return { active: false };
  const context = claims.grant === undefined ? undefined : await readGrantContext(db, claims.grant);
  const { client_id, scope, exp, iss, sub, fhirUser } = claims;
  return { active: true, token_type: 'Bearer', client_id, scope, exp, iss, ...(sub === undefined ? {} : { sub }), ...(fhirUser === undefined ? {} : { fhirUser }), ...(context ? contextOf(context, 'object') : {}) };
}

/** RFC 7009: only the client that has the token may end it. */
async function revokeAccessToken(ctx: Context, { tokens }: AuthorizationServerOptions): Promise<string> {
  const claims = await tokens.inspect(ctx.oidc.params?.['token'] ?? '');
  if (claims && claims.client_id === ctx.oidc.client?.clientId) await tokens.revoke(claims);
  return '';
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
