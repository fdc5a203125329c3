import { withoutSlashes } from '#fhir/base/reference.ts';
import { z } from 'zod/mini';
import { isScope } from './scopes.ts';

/** How the panel proves to an EHR's token endpoint who it is. `none` is a public client: only where the EHR offers nothing better. */
export const CLIENT_AUTHENTICATIONS = ['private_key_jwt', 'client_secret_basic', 'client_secret_post', 'none'] as const;
export type ClientAuthentication = (typeof CLIENT_AUTHENTICATIONS)[number];

const text = z.string().check(z.minLength(1), z.maxLength(500));
const secureUrl = text.check(z.refine(isSecureUrl, 'must be an https URL without a query, a fragment or a password; http is for loopback only'));
const origin = secureUrl.check(z.refine((value) => URL.parse(value)?.origin === value, 'must be an origin such as https://ehr.example: no path, no slash at the end'));

/** One registration, as the file, the admin page and the store hold it. */
export const ehrRegistrationSchema = z
  .strictObject({
    fhirBase: secureUrl,
    name: z.optional(text),
    clientId: text,
    clientAuthentication: z.optional(z.enum(CLIENT_AUTHENTICATIONS)),
    clientSecret: z.optional(text),
    signingAlgorithm: z.optional(z.enum(['ES384', 'RS384'])),
    scopes: z.optional(z.string().check(z.maxLength(4000), z.refine((scopes) => scopes.trim().split(/\s+/).includes('openid'), 'must name openid: without it the EHR does not say who signed in'), z.refine((scopes) => scopes.trim().split(/\s+/).every(isScope), 'holds a scope that SMART does not know: patient, user or system, a FHIR type or *, letters in the order c r u d s'))),
    worklistClientId: z.optional(text),
    frameOrigins: z.optional(z.array(origin).check(z.maxLength(20))),
    disabled: z.optional(z.boolean()),
  })
  .check(
    z.refine((ehr) => (ehr.clientSecret !== undefined) === (ehr.clientAuthentication?.startsWith('client_secret') ?? false), {
      message: 'must be there for client_secret_basic and client_secret_post, and for nothing else',
      path: ['clientSecret'],
    }),
  );

/** One EHR that may launch the panel. Launches from any other `iss` are refused: it would be a way to steal tokens or to make this server call foreign hosts. */
export interface EhrRegistration {
  /** FHIR base, equal to the `iss` of a launch. */
  readonly fhirBase: string;
  /** What people call it. */
  readonly name?: string | undefined;
  readonly clientId: string;
  /** Default private_key_jwt. */
  readonly clientAuthentication?: ClientAuthentication | undefined;
  readonly clientSecret?: string | undefined;
  /** Of private_key_jwt; default ES384. */
  readonly signingAlgorithm?: 'ES384' | 'RS384' | undefined;
  /** Space-separated, SMART v2. Default DEFAULT_SCOPES. */
  readonly scopes?: string | undefined;
  /** Client of the staff's sign-in; the first EHR that has one is where staff sign in. Default `open-prior-auth-worklist`. */
  readonly worklistClientId?: string | undefined;
  /** Origins, beside that of `fhirBase`, whose pages may show the panel in a frame and serve its style. */
  readonly frameOrigins?: readonly string[] | undefined;
  /** Registered, but nothing is launched from it. */
  readonly disabled?: boolean | undefined;
}

export const DEFAULT_SCOPES = 'openid fhirUser launch offline_access patient/*.rs patient/QuestionnaireResponse.cu patient/Task.cu';

/** Disabled ones are not found. */
export function findEhr(ehrs: readonly EhrRegistration[], iss: string): EhrRegistration | undefined {
  const wanted = withoutSlashes(iss);
  return ehrs.find((ehr) => withoutSlashes(ehr.fhirBase) === wanted && ehr.disabled !== true);
}

export function ehrName(ehr: EhrRegistration): string {
  return ehr.name ?? new URL(ehr.fhirBase).host;
}

/** Where pages of this EHR come from. */
export function originsOf(ehr: EhrRegistration): readonly string[] {
  return [new URL(ehr.fhirBase).origin, ...(ehr.frameOrigins ?? [])];
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

function isSecureUrl(value: string): boolean {
  const url = URL.parse(value);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname))) && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
}
