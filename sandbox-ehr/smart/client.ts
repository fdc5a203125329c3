/** An app or a system registered at the sandbox EHR. Confidential clients sign with a key of `jwksUri` or `jwks` (private_key_jwt) or have a secret; without any of these it is public. */
export interface SmartClient {
  readonly clientId: string;
  readonly name: string;
  /** Empty for a backend service, which then may only use client_credentials. */
  readonly redirectUris: readonly string[];
  readonly jwksUri?: string | undefined;
  readonly jwks?: { readonly keys: readonly object[] };
  readonly secret?: string | undefined;
  /** How the secret is sent; default client_secret_basic. */
  readonly secretBy?: 'client_secret_basic' | 'client_secret_post' | undefined;
  /** Space-separated scopes it may ask for; narrower ones are covered too. */
  readonly scope: string;
  /** `string` as in SMART 2.0.0; default `object`, as since 2.1. */
  readonly fhirContextForm?: 'object' | 'string' | undefined;
  /** Default true. */
  readonly needPatientBanner?: boolean | undefined;
  /** The app is told the EHR's style. Default true. */
  readonly style?: boolean | undefined;
}

/** Client metadata as oidc-provider wants it (RFC 7591 names). */
export function clientMetadata(client: SmartClient): object {
  const signs = client.jwksUri !== undefined || client.jwks !== undefined;
  const backend = client.redirectUris.length === 0;
  return {
    client_id: client.clientId,
    client_name: client.name,
    redirect_uris: client.redirectUris,
    application_type: client.redirectUris.some((uri) => !/^https?:/.test(uri)) ? 'native' : 'web',
    response_types: backend ? [] : ['code'],
    grant_types: backend ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: signs ? 'private_key_jwt' : client.secret !== undefined ? (client.secretBy ?? 'client_secret_basic') : 'none',
    ...(client.secret === undefined ? {} : { client_secret: client.secret }),
    ...(client.jwksUri ? { jwks_uri: client.jwksUri } : {}),
    ...(client.jwks ? { jwks: client.jwks } : {}),
  };
}
