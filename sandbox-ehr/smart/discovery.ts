import { CONTEXT_SCOPES } from './authorization-server.ts';
import type { SmartClient } from './client.ts';

/** `.well-known/smart-configuration` (SMART App Launch 2.2, conformance). */
export function smartConfiguration(issuer: string, clients: readonly SmartClient[]): object {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
    token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
    response_types_supported: ['code'],
    scopes_supported: [...new Set([...CONTEXT_SCOPES, ...clients.flatMap((client) => client.scope.split(' '))])],
    code_challenge_methods_supported: ['S256'],
    capabilities: [
      'launch-ehr', 'launch-standalone', 'client-public', 'client-confidential-asymmetric', 'sso-openid-connect', 'context-banner', 'context-ehr-patient',
      'context-ehr-encounter', 'context-standalone-patient', 'permission-offline', 'permission-patient', 'permission-user', 'permission-v1', 'permission-v2',
    ],
  };
}
