import { CONTEXT_SCOPES } from './authorization-server.ts';
import type { SmartClient } from './client.ts';

/** `.well-known/smart-configuration` (SMART App Launch 2.2, conformance). */
export function smartConfiguration(issuer: string, ehrUrl: string, clients: readonly SmartClient[]): object {
  return {
    issuer,
    jwks_uri: `${issuer}/jwks`,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    management_endpoint: `${ehrUrl}/apps`,
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'],
    token_endpoint_auth_signing_alg_values_supported: ['ES384', 'RS384'],
    response_types_supported: ['code'],
    scopes_supported: [...new Set([...CONTEXT_SCOPES, ...clients.flatMap((client) => client.scope.split(' '))])],
    code_challenge_methods_supported: ['S256'],
    user_access_brand_bundle: `${ehrUrl}/brands`,
    user_access_brand_identifier: brandIdentifier(ehrUrl),
    associated_endpoints: [{ url: `${ehrUrl}/fhir`, capabilities: ['launch-ehr', 'launch-standalone'] }],
    capabilities: [
      'launch-ehr', 'launch-standalone', 'client-public', 'client-confidential-symmetric', 'client-confidential-asymmetric', 'sso-openid-connect', 'context-banner', 'context-style',
      'context-ehr-patient', 'context-ehr-encounter', 'context-standalone-patient', 'context-standalone-encounter', 'permission-offline', 'permission-online', 'permission-patient', 'permission-user',
      'permission-v1', 'permission-v2',
    ],
  };
}

function brandIdentifier(ehrUrl: string): object {
  return { system: 'urn:ietf:rfc:3986', value: ehrUrl };
}

/** User-access brands (SMART App Launch 2.2): one brand, one endpoint. */
export function brandBundle(ehrUrl: string, timestamp: string): object {
  const organization = {
    resourceType: 'Organization',
    id: 'sandbox-ehr',
    active: true,
    name: 'Sandbox EHR (synthetic)',
    identifier: [brandIdentifier(ehrUrl)],
    telecom: [{ system: 'url', value: ehrUrl.replace(/\/ehr$/, '/') }],
    endpoint: [{ reference: 'Endpoint/fhir' }],
  };
  const endpoint = {
    resourceType: 'Endpoint',
    id: 'fhir',
    extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/endpoint-fhir-version', valueCode: '4.0.1' }],
    status: 'active',
    connectionType: { system: 'http://terminology.hl7.org/CodeSystem/endpoint-connection-type', code: 'hl7-fhir-rest' },
    name: 'FHIR R4 API of the sandbox EHR',
    contact: [{ system: 'url', value: `${ehrUrl}/apps` }],
    payloadType: [{ coding: [{ system: 'http://terminology.hl7.org/CodeSystem/endpoint-payload-type', code: 'none' }] }],
    address: `${ehrUrl}/fhir`,
  };
  return { resourceType: 'Bundle', type: 'collection', timestamp, entry: [{ fullUrl: `${ehrUrl}/brands/Organization/sandbox-ehr`, resource: organization }, { fullUrl: `${ehrUrl}/brands/Endpoint/fhir`, resource: endpoint }] };
}

/** SMART `smart_style_url`: the look of the sandbox's own screens. The address changes with the content. */
export const STYLE = {
  color_background: '#ffffff',
  color_error: '#b42318',
  color_highlight: '#1b5783',
  color_modal_backdrop: '#17212b',
  color_success: '#0f5f33',
  color_text: '#17212b',
  dim_border_radius: '10px',
  dim_font_size: '16px',
  dim_spacing_size: '12px',
  font_family_body: 'system-ui, sans-serif',
  font_family_heading: 'system-ui, sans-serif',
};
export const STYLE_PATH = '/smart-style-1.json';
