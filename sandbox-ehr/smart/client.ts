/** An app or a system registered at the sandbox EHR. Confidential clients sign with a key of `jwksUri` or `jwks` (private_key_jwt); without either it is public. */
export interface SmartClient {
  readonly clientId: string;
  readonly name: string;
  /** Empty for a backend service, which then may only use client_credentials. */
  readonly redirectUris: readonly string[];
  readonly jwksUri?: string;
  readonly jwks?: { readonly keys: readonly object[] };
  /** Space-separated scopes it may ask for; narrower ones are covered too. */
  readonly scope: string;
}

/** Client metadata as oidc-provider wants it (RFC 7591 names). */
export function clientMetadata(client: SmartClient): object {
  const confidential = client.jwksUri !== undefined || client.jwks !== undefined;
  const backend = client.redirectUris.length === 0;
  return {
    client_id: client.clientId,
    client_name: client.name,
    redirect_uris: client.redirectUris,
    response_types: backend ? [] : ['code'],
    grant_types: backend ? ['client_credentials'] : ['authorization_code', 'refresh_token'],
    token_endpoint_auth_method: confidential ? 'private_key_jwt' : 'none',
    ...(client.jwksUri ? { jwks_uri: client.jwksUri } : {}),
    ...(client.jwks ? { jwks: client.jwks } : {}),
  };
}
