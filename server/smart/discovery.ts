import { withoutSlashes } from '#fhir/base/reference.ts';
import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';

const smartConfiguration = z.object({
  authorization_endpoint: z.string().min(1),
  token_endpoint: z.string().min(1),
  issuer: z.string().optional(),
  jwks_uri: z.string().min(1).optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
  capabilities: z.array(z.string()).default([]),
});

export interface SmartConfiguration {
  readonly authorizationEndpoint: string;
  readonly tokenEndpoint: string;
  readonly issuer: string | undefined;
  readonly jwksUri: string | undefined;
  readonly capabilities: readonly string[];
}

const openidConfiguration = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** SMART App Launch 2.2.0, conformance: `{base}/.well-known/smart-configuration`; relative addresses are relative to the FHIR base. Throws EHR_UNAVAILABLE, EHR_REFUSED. */
export async function discover(fhirBase: string): Promise<SmartConfiguration> {
  const base = withoutSlashes(fhirBase);
  const parsed = smartConfiguration.safeParse(await getJson(`${base}/.well-known/smart-configuration`));
  if (!parsed.success) throw unavailable('its SMART configuration is not complete');
  const { code_challenge_methods_supported: methods, ...found } = parsed.data;
  if (methods && !methods.includes('S256')) throw new PriorAuthError('EHR_REFUSED', 'The EHR does not offer PKCE with S256.', { nextStep: 'Tell whoever looks after the EHR.' });
  const absolute = (address: string): string => {
    const url = URL.parse(address, `${base}/`);
    if (url === null || !/^https?:$/.test(url.protocol)) throw unavailable('its SMART configuration names an address that is none');
    return url.href;
  };
  return {
    authorizationEndpoint: absolute(found.authorization_endpoint),
    tokenEndpoint: absolute(found.token_endpoint),
    issuer: found.issuer,
    jwksUri: found.jwks_uri === undefined ? undefined : absolute(found.jwks_uri),
    capabilities: found.capabilities,
  };
}

/** Whose signature an id_token of this EHR carries. */
export async function issuerOf(fhirBase: string, { issuer, jwksUri }: SmartConfiguration): Promise<{ issuer: string; jwksUri: string }> {
  if (issuer && jwksUri) return { issuer, jwksUri };
  const parsed = openidConfiguration.safeParse(await getJson(`${withoutSlashes(issuer ?? fhirBase)}/.well-known/openid-configuration`));
  if (!parsed.success) throw unavailable('it names no issuer for its id tokens');
  return { issuer: parsed.data.issuer, jwksUri: parsed.data.jwks_uri };
}

async function getJson(url: string): Promise<unknown> {
  try {
    const answer = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'error', signal: AbortSignal.timeout(10_000) });
    if (!answer.ok) throw unavailable(`it answered ${answer.status}`);
    return await answer.json();
  } catch (cause) {
    if (cause instanceof PriorAuthError) throw cause;
    throw unavailable('it did not answer', cause);
  }
}

function unavailable(why: string, cause?: unknown): PriorAuthError {
  return new PriorAuthError('EHR_UNAVAILABLE', `The EHR's sign-in address cannot be used: ${why}.`, {
    retryable: true,
    cause,
    nextStep: 'Try again in a minute; if it stays, tell whoever looks after the EHR.',
  });
}
