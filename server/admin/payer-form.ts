import { z } from 'zod/mini';
import { payerSchema } from '#policies/payer-schema.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';

export const PAYER_FIELDS = [
  'id', 'name', 'organizationIdentifiers', 'matchNames', 'fhirBase', 'pasVersion', 'discoveryBase', 'subscriptions', 'timeZone',
  'authentication', 'clientId', 'algorithm', 'scope', 'tokenEndpoint', 'certificateFile', 'keyFile', 'caFile', 'further',
] as const;
export type PayerField = (typeof PAYER_FIELDS)[number];
export type PayerForm = Readonly<Record<PayerField, string>>;

export type ReadPayerForm =
  | { readonly kind: 'payer'; readonly payer: Payer }
  /** A message for each field that is wrong. */
  | { readonly kind: 'faults'; readonly faults: Partial<Record<PayerField, string>> };

const formSchema = z.object(Object.fromEntries(PAYER_FIELDS.map((name) => [name, z._default(z.string(), '')])) as Record<PayerField, z.ZodMiniDefault<z.ZodMiniString>>);

export function readFields(body: unknown): PayerForm {
  const read = formSchema.safeParse(body ?? {});
  // A field that came twice is none.
  return read.success ? read.data : formSchema.parse({});
}

const AUTHENTICATION_FIELDS = ['clientId', 'algorithm', 'scope', 'tokenEndpoint'] as const;
const TLS_FIELDS = ['certificateFile', 'keyFile', 'caFile'] as const;

/** An empty field is one that was not given; identifiers and names stand one in a line; what has no field of its own is JSON. */
export function readPayerForm(form: PayerForm): ReadPayerForm {
  const lines = (text: string): readonly string[] => text.split('\n').map((line) => line.trim()).filter(Boolean);
  const given = (names: readonly PayerField[]): Record<string, string> => Object.fromEntries(names.flatMap((name) => (form[name].trim() === '' ? [] : [[name, form[name].trim()]])));
  const further = readObject(form.further);
  if (further === undefined) return { kind: 'faults', faults: { further: 'is not a JSON object' } };
  const tls = given(TLS_FIELDS);
  const backend = form.authentication.trim() === '' || form.authentication === 'backend-services';
  const parsed = payerSchema.safeParse({
    ...further,
    ...given(['id', 'name', 'fhirBase', 'pasVersion', 'discoveryBase', 'subscriptions', 'timeZone']),
    organizationIdentifiers: lines(form.organizationIdentifiers).map((line) => ({ system: line.slice(0, Math.max(0, line.lastIndexOf('|'))).trim(), value: line.slice(line.lastIndexOf('|') + 1).trim() })),
    matchNames: lines(form.matchNames),
    ...(backend ? { authentication: { kind: 'backend-services', ...given(AUTHENTICATION_FIELDS) } } : 'authentication' in further ? {} : { authentication: { kind: form.authentication } }),
    ...(Object.keys(tls).length > 0 ? { tls } : {}),
  });
  if (parsed.success) return { kind: 'payer', payer: parsed.data };
  const faults: Partial<Record<PayerField, string>> = {};
  for (const { path, message } of parsed.error.issues) {
    const [name, faulty] = fieldOf(path);
    faults[name] ??= faulty + (message.startsWith('Invalid') ? 'is missing or not one of the choices' : message);
  }
  return { kind: 'faults', faults };
}

/** The field that shows what stands at a path, and where in it. */
function fieldOf([first, second, ...rest]: readonly PropertyKey[]): readonly [PayerField, string] {
  const own = PAYER_FIELDS.find((name) => name === first && name !== 'authentication');
  if (own) return [own, typeof second === 'number' ? `line ${second + 1}${rest.length > 0 ? ` (${rest.map(String).join('.')})` : ''}: ` : ''];
  const inner = PAYER_FIELDS.find((name) => name === second);
  if (inner && (first === 'authentication' || first === 'tls')) return [inner, ''];
  if (first === 'authentication') return ['authentication', ''];
  return ['further', `${[first, second, ...rest].filter((part) => part !== undefined).map(String).join('.')}: `];
}

/** Text of the form for a payer that is to be changed. */
export function formOf({ id, name, organizationIdentifiers, matchNames, fhirBase, pasVersion, discoveryBase, subscriptions, timeZone, authentication, tls, mode: _mode, ...further }: Payer): PayerForm {
  const backend = authentication?.kind === 'backend-services' ? authentication : undefined;
  const others = { ...further, ...(authentication?.kind === 'header' ? { authentication } : {}) };
  return {
    id, name, fhirBase, pasVersion, subscriptions, timeZone,
    organizationIdentifiers: organizationIdentifiers.map(({ system, value }) => `${system}|${value}`).join('\n'),
    matchNames: matchNames.join('\n'),
    discoveryBase: discoveryBase ?? '',
    authentication: authentication?.kind ?? 'backend-services',
    clientId: backend?.clientId ?? '', algorithm: backend?.algorithm ?? '', scope: backend?.scope ?? '', tokenEndpoint: backend?.tokenEndpoint ?? '',
    certificateFile: tls?.certificateFile ?? '', keyFile: tls?.keyFile ?? '', caFile: tls?.caFile ?? '',
    further: Object.keys(others).length > 0 ? JSON.stringify(others, null, 2) : '',
  };
}

/** No text is an empty object; undefined: not an object. */
function readObject(text: string): Readonly<Record<string, unknown>> | undefined {
  if (text.trim() === '') return {};
  try {
    const read: unknown = JSON.parse(text);
    return typeof read === 'object' && read !== null && !Array.isArray(read) ? (read as Readonly<Record<string, unknown>>) : undefined;
  } catch {
    return undefined;
  }
}
