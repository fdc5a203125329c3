import { z } from 'zod';
import { PriorAuthError } from '#prior-auth/errors.ts';

const contextEntry = z.union([z.string().transform((reference) => ({ reference })), z.looseObject({ reference: z.string().optional(), role: z.string().optional() })]);

const tokenResponse = z.looseObject({
  access_token: z.string().min(1),
  refresh_token: z.string().optional(),
  expires_in: z.coerce.number().positive().optional(),
  id_token: z.string().optional(),
  patient: z.string().optional(),
  need_patient_banner: z.boolean().optional(),
  // SMART 2.0.0 gives strings, 2.1 and later objects.
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
  /** Relative references, in the EHR's order, of entries with role `launch` or none. */
  readonly references: readonly string[];
  readonly needPatientBanner: boolean;
}

export interface ReadTokenResponse {
  readonly tokens: SmartTokens;
  readonly context: LaunchContext;
  readonly idToken: string | undefined;
}

/** `expires_in` is RECOMMENDED only; five minutes are assumed when it is missing. Throws EHR_REFUSED. */
export function readTokenResponse(value: unknown, now: () => number): ReadTokenResponse {
  const parsed = tokenResponse.safeParse(value);
  if (!parsed.success) {
    throw new PriorAuthError('EHR_REFUSED', 'The EHR’s token answer cannot be read.', { nextStep: 'Tell whoever looks after the EHR.' });
  }
  const answer = parsed.data;
  return {
    tokens: {
      accessToken: answer.access_token,
      ...(answer.refresh_token ? { refreshToken: answer.refresh_token } : {}),
      expiresAt: now() + (answer.expires_in ?? 300) * 1000,
    },
    context: {
      ...(answer.patient ? { patient: answer.patient.replace(/^Patient\//, '') } : {}),
      references: (answer.fhirContext ?? []).flatMap((entry) => {
        const launched = !('role' in entry) || entry.role === undefined || entry.role === 'launch';
        const reference = /([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})(\/_history\/.*)?$/.exec(entry.reference ?? '')?.[1];
        return launched && reference ? [reference] : [];
      }),
      needPatientBanner: answer.need_patient_banner ?? true,
    },
    idToken: answer.id_token,
  };
}
