import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';
import { withoutTrailingSlash } from './ehr-registration.ts';

const smartConfiguration = z.object({
  authorization_endpoint: z.url(),
  token_endpoint: z.url(),
  issuer: z.string().optional(),
  jwks_uri: z.url().optional(),
  code_challenge_methods_supported: z.array(z.string()).optional(),
});
export type SmartConfiguration = z.infer<typeof smartConfiguration>;

const openidConfiguration = z.object({ issuer: z.string(), jwks_uri: z.url() });

/** SMART App Launch 2.2.0 §8: `{base}/.well-known/smart-configuration`. Throws EHR_UNAVAILABLE. */
export async function discover(fhirBase: string): Promise<SmartConfiguration> {
  const parsed = smartConfiguration.safeParse(await getJson(`${withoutTrailingSlash(fhirBase)}/.well-known/smart-configuration`));
  if (!parsed.success) throw unavailable('its SMART configuration is not complete');
  return parsed.data;
}

/** Whose signature an id_token of this EHR carries. */
export async function issuerOf(fhirBase: string, configuration: SmartConfiguration): Promise<{ issuer: string; jwksUri: string }> {
  if (configuration.issuer && configuration.jwks_uri) return { issuer: configuration.issuer, jwksUri: configuration.jwks_uri };
  const base = configuration.issuer ?? fhirBase;
  const parsed = openidConfiguration.safeParse(await getJson(`${withoutTrailingSlash(base)}/.well-known/openid-configuration`));
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
