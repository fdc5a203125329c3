import { z } from 'zod/mini';
import { type TrustedCdsClient, trustedClientSchema } from '../client-trust/trusted-client.ts';

const CLIENT_FIELDS = ['name', 'iss', 'tenant', 'jku', 'jwks', 'algorithms', 'fhirServers'] as const;
export type ClientField = (typeof CLIENT_FIELDS)[number];
export type ClientForm = Readonly<Record<ClientField, string>>;

export type ReadClientForm =
  | { readonly kind: 'client'; readonly client: TrustedCdsClient }
  /** A message for each field that is wrong. */
  | { readonly kind: 'faults'; readonly faults: Partial<Record<ClientField, string>> };

const field = z._default(z.string(), '');
const formSchema = z.object({ name: field, iss: field, tenant: field, jku: field, jwks: field, algorithms: field, fhirServers: field });

export function readFields(body: unknown): ClientForm {
  const read = formSchema.safeParse(body ?? {});
  // A field that came twice is none.
  return read.success ? read.data : formSchema.parse({});
}

/** Addresses stand one in a line; the keys are a JWKS as text, the algorithms separated by spaces. */
export function readClientForm(form: ClientForm): ReadClientForm {
  const filled = (text: string): string | undefined => (text.trim() === '' ? undefined : text.trim());
  const keys = readKeys(form.jwks);
  if (keys.kind === 'not-json') return { kind: 'faults', faults: { jwks: 'is not JSON' } };
  const parsed = trustedClientSchema.safeParse({
    iss: form.iss.trim(),
    fhirServers: form.fhirServers.split(/\s+/).filter(Boolean),
    ...Object.fromEntries(Object.entries({ name: filled(form.name), tenant: filled(form.tenant), jku: filled(form.jku), jwks: keys.value, algorithms: filled(form.algorithms)?.split(/\s+/) }).filter(([, value]) => value !== undefined)),
  });
  if (parsed.success) return { kind: 'client', client: parsed.data };
  const faults: Partial<Record<ClientField, string>> = {};
  for (const { path, message } of parsed.error.issues) {
    const name = CLIENT_FIELDS.find((each) => each === path[0]) ?? 'iss';
    faults[name] ??= path.length > 1 ? `${path.slice(1).map((part) => (typeof part === 'number' ? `no. ${part + 1}` : String(part))).join(' ')}: ${message}` : message;
  }
  return { kind: 'faults', faults };
}

/** A registration as the form writes it. */
export function formOf({ name, iss, tenant, jku, jwks, algorithms, fhirServers }: TrustedCdsClient): ClientForm {
  return { name: name ?? '', iss, tenant: tenant ?? '', jku: jku ?? '', jwks: jwks ? JSON.stringify(jwks, null, 2) : '', algorithms: algorithms?.join(' ') ?? '', fhirServers: fhirServers.join('\n') };
}

function readKeys(text: string): { readonly kind: 'value'; readonly value: unknown } | { readonly kind: 'not-json' } {
  if (text.trim() === '') return { kind: 'value', value: undefined };
  try {
    return { kind: 'value', value: JSON.parse(text) };
  } catch {
    return { kind: 'not-json' };
  }
}
