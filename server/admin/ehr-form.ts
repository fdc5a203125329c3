import { z } from 'zod/mini';
import { type EhrRegistration, ehrRegistrationSchema } from '../smart/ehr-registration.ts';

export const EHR_FIELDS = ['name', 'fhirBase', 'clientId', 'clientAuthentication', 'clientSecret', 'signingAlgorithm', 'scopes', 'frameOrigins', 'worklistClientId'] as const;
export type EhrField = (typeof EHR_FIELDS)[number];
export type EhrForm = Readonly<Record<EhrField, string>>;

export type ReadEhrForm =
  | { readonly kind: 'ehr'; readonly ehr: EhrRegistration }
  /** A message for each field that is wrong. */
  | { readonly kind: 'faults'; readonly faults: Partial<Record<EhrField, string>> };

const field = z._default(z.string(), '');
const formSchema = z.object({ name: field, fhirBase: field, clientId: field, clientAuthentication: field, clientSecret: field, signingAlgorithm: field, scopes: field, frameOrigins: field, worklistClientId: field });

export function readFields(body: unknown): EhrForm {
  const read = formSchema.safeParse(body ?? {});
  // A field that came twice is none.
  return read.success ? read.data : formSchema.parse({});
}

/** An empty field is one that was not given; origins stand one in a line. */
export function readEhrForm(form: EhrForm): ReadEhrForm {
  const { frameOrigins, ...texts } = form;
  const origins = frameOrigins.split(/\s+/).filter(Boolean);
  const given = Object.entries(texts).flatMap(([name, value]) => (value.trim() === '' ? [] : [[name, value.trim()]]));
  const parsed = ehrRegistrationSchema.safeParse({ fhirBase: '', clientId: '', ...Object.fromEntries(given), ...(origins.length > 0 ? { frameOrigins: origins } : {}) });
  if (parsed.success) return { kind: 'ehr', ehr: parsed.data };
  const faults: Partial<Record<EhrField, string>> = {};
  for (const { path, message } of parsed.error.issues) {
    const name = EHR_FIELDS.find((each) => each === path[0]) ?? 'fhirBase';
    faults[name] ??= path.length > 1 ? `no. ${Number(path[1]) + 1}: ${message}` : /^Invalid|^Too small/.test(message) ? 'is missing or not one of the choices' : message;
  }
  return { kind: 'faults', faults };
}
