import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';

const contextObject = z.looseObject({ reference: z.string().optional(), canonical: z.string().optional(), identifier: z.looseObject({}).optional(), type: z.string().optional(), role: z.string().optional() });
/** SMART 2.0.0 gives strings, 2.1 and later objects. */
const contextEntry = z.union([z.string().transform((reference): z.infer<typeof contextObject> => ({ reference })), contextObject]);

const tokenResponse = z.looseObject({
  access_token: z.string().min(1),
  token_type: z.string().refine((type) => type.toLowerCase() === 'bearer'),
  scope: z.string().optional(),
  refresh_token: z.string().optional(),
  expires_in: z.coerce.number().positive().optional(),
  id_token: z.string().optional(),
  patient: z.string().optional(),
  encounter: z.string().optional(),
  need_patient_banner: z.boolean().optional(),
  smart_style_url: z.string().max(2000).optional(),
  intent: z.string().max(500).optional(),
  tenant: z.string().max(500).optional(),
  fhirContext: z.array(contextEntry).optional(),
});

export interface SmartTokens {
  readonly accessToken: string;
  readonly refreshToken?: string;
  /** Epoch ms. */
  readonly expiresAt: number;
}

export interface LaunchContext {
  readonly patient?: string;
  readonly encounter?: string;
  /** Relative references, in the EHR's order, of entries with role `launch` or none. */
  readonly references: readonly string[];
  /** Of forms that the EHR names, "url|version". */
  readonly canonicals: readonly string[];
  /** Of orders that the EHR names by a business identifier. */
  readonly identifiers: readonly { readonly type?: string; readonly system?: string; readonly value: string }[];
  readonly needPatientBanner: boolean;
  readonly styleUrl?: string;
  readonly intent?: string;
  readonly tenant?: string;
}

export interface ReadTokenResponse {
  readonly tokens: SmartTokens;
  readonly context: LaunchContext;
  readonly idToken: string | undefined;
  /** As the EHR says it; absent when it grants what was asked. */
  readonly scope: string | undefined;
}

/** `expires_in` is RECOMMENDED only; five minutes are assumed when it is missing. Throws EHR_REFUSED. */
export function readTokenResponse(value: unknown, now: () => number): ReadTokenResponse {
  const parsed = tokenResponse.safeParse(value);
  if (!parsed.success) {
    throw new PriorAuthError('EHR_REFUSED', 'The EHR’s token answer cannot be read.', { nextStep: 'Tell whoever looks after the EHR.' });
  }
  const answer = parsed.data;
  const launched = (answer.fhirContext ?? []).filter(({ role }) => role === undefined || role === 'launch');
  return {
    tokens: {
      accessToken: answer.access_token,
      ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
      expiresAt: now() + (answer.expires_in ?? 300) * 1000,
    },
    context: {
      ...(answer.patient ? { patient: answer.patient.replace(/^Patient\//, '') } : {}),
      ...(answer.encounter ? { encounter: answer.encounter.replace(/^Encounter\//, '') } : {}),
      references: launched.flatMap(({ reference }) => /([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(\/_history\/.*)?$/.exec(reference ?? '')?.[1] ?? []),
      canonicals: launched.flatMap(({ canonical }) => canonical ?? []),
      identifiers: launched.flatMap(({ identifier, type }) => {
        const { system, value: written } = (identifier ?? {}) as Readonly<Record<string, unknown>>;
        return typeof written === 'string' ? [{ value: written, ...(typeof system === 'string' ? { system } : {}), ...(type === undefined ? {} : { type }) }] : [];
      }),
      needPatientBanner: answer.need_patient_banner ?? true,
      ...(answer.smart_style_url ? { styleUrl: answer.smart_style_url } : {}),
      ...(answer.intent ? { intent: answer.intent } : {}),
      ...(answer.tenant ? { tenant: answer.tenant } : {}),
    },
    idToken: answer.id_token,
    scope: answer.scope,
  };
}
