import { z } from 'zod/mini';
import type { PayerAuthentication, PayerPlan, PayerTls } from '#prior-auth/coverage-requirement/payer-connection.ts';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import type { PayerQuirks } from '#prior-auth/coverage-requirement/payer-quirks.ts';

const words = z.string().check(z.minLength(1, 'must not be empty'), z.maxLength(500, 'is too long'));
const HTTPS_OR_HERE = 'must be an https address, or a path here; http is for loopback only';
/** Absolute, or a path under this server's own base URL. */
const address = words.check(z.refine((text) => isSecureAddress(text) || /^\/(?!\/)/.test(text), HTTPS_OR_HERE));
const id = z.string().check(z.regex(/^[a-z0-9][a-z0-9.-]{0,63}$/, 'must be small letters, digits, dots and hyphens, 64 at most'));
/** Stays under the payer's FHIR base. */
const operationPath = words.check(z.regex(/^(?!.*\.\.)[A-Za-z$][\w$/.-]*$/));
const pasVersion = z.enum(['2.0.1', '2.2.1']);
const subscriptions = z.enum(['rest-hook', 'none']);

const authentication: z.ZodMiniType<PayerAuthentication> = z.discriminatedUnion('kind', [
  z.strictObject({
    kind: z.literal('backend-services'),
    clientId: z.optional(words),
    algorithm: z.optional(z.enum(['ES384', 'RS384'])),
    scope: z.optional(words),
    tokenEndpoint: z.optional(words.check(z.refine(isSecureAddress, 'must be an https address; http is for loopback only'))),
  }),
  z.strictObject({ kind: z.literal('none') }),
  z.strictObject({ kind: z.literal('header'), name: z.string().check(z.regex(/^[A-Za-z][A-Za-z0-9-]{0,60}$/, 'must be the name of a header')), value: z.string().check(z.regex(/^[\x20-\x7e]{1,4000}$/, 'must be printable ASCII')) }),
]);

const tls: z.ZodMiniType<PayerTls> = z
  .strictObject({ certificateFile: z.optional(words), keyFile: z.optional(words), caFile: z.optional(words) })
  .check(z.refine((given) => (given.certificateFile === undefined) === (given.keyFile === undefined), { message: 'needs certificateFile and keyFile together', path: ['keyFile'] }));

const quirks: z.ZodMiniType<Partial<PayerQuirks>> = z.strictObject({
  inquiryWrapper: z.optional(z.enum(['bundle', 'parameters'])),
  inquiryOperation: z.optional(z.enum(['$inquire', '$inquiry'])),
  successStatuses: z.optional(z.array(z.int().check(z.minimum(200), z.maximum(299))).check(z.minLength(1))),
  timeoutMs: z.optional(z.int().check(z.minimum(1_000), z.maximum(30_000))),
  maximumBytes: z.optional(z.int().check(z.minimum(10_000), z.maximum(100_000_000))),
  concurrency: z.optional(z.int().check(z.minimum(1), z.maximum(200))),
  breakerFailures: z.optional(z.int().check(z.minimum(1), z.maximum(100))),
  breakerRestMs: z.optional(z.int().check(z.minimum(100), z.maximum(3_600_000))),
});

const plan: z.ZodMiniType<PayerPlan> = z
  .strictObject({
    id,
    coverageClasses: z.optional(z.array(z.strictObject({ type: words, value: words })).check(z.minLength(1))),
    coverageTypes: z.optional(z.array(words).check(z.minLength(1))),
    fhirBase: address,
    pasVersion,
    subscriptions: z.optional(subscriptions),
  })
  .check(z.refine((given) => given.coverageClasses !== undefined || given.coverageTypes !== undefined, { message: 'needs coverageClasses or coverageTypes: by what its coverages are known', path: ['id'] }));

/** One payer, as the file, the admin page and the store hold it. Addresses may be paths under this server's own. */
export const payerSchema: z.ZodMiniType<Omit<Payer, 'planOf'>> = z
  .strictObject({
    id,
    name: words,
    organizationIdentifiers: z.array(z.strictObject({ system: words, value: words })).check(z.minLength(1, 'needs one or more')),
    matchNames: z.array(words),
    fhirBase: address,
    pasVersion,
    subscriptions,
    subscriptionFilter: z.optional(z.enum(['org-identifier', 'orgIdentifier', 'identifier'])),
    subscriptionFor: z.optional(z.enum(['each-organization', 'all-organizations'])),
    timeZone: words.check(z.refine(isTimeZone, 'must be an IANA time zone such as America/New_York')),
    contact: z.optional(z.strictObject({ name: z.optional(words), telecom: z.array(z.strictObject({ system: z.enum(['phone', 'fax', 'email', 'url']), value: words })).check(z.minLength(1)) })),
    crd: z.optional(z.strictObject({ baseUrl: address, version: z.enum(['2.0', '2.2']), timeoutMs: z.int().check(z.minimum(50), z.maximum(5_000)) })),
    dtr: z.optional(
      z.strictObject({
        version: z.enum(['2.0.1', '2.2']),
        operations: z.optional(z.strictObject({ questionnairePackage: z.optional(operationPath), nextQuestion: z.optional(operationPath), logErrors: z.optional(operationPath), expand: z.optional(operationPath) })),
        terminologyServers: z.optional(z.array(address)),
      }),
    ),
    mode: z.optional(z.enum(['electronic', 'manual'])),
    authentication: z.optional(authentication),
    tls: z.optional(tls),
    discoveryBase: z.optional(address),
    plans: z.optional(z.array(plan).check(z.refine((plans) => new Set(plans.map((each) => each.id)).size === plans.length, 'names a plan twice'))),
    quirks: z.optional(quirks),
  })
  .check((given) => {
    const { authentication: auth, tls: files, fhirBase, plans = [], discoveryBase } = given.value;
    const isHere = [fhirBase, ...plans.map((each) => each.fhirBase), ...(discoveryBase === undefined ? [] : [discoveryBase])].every(isLoopback);
    if (auth?.kind === 'header' && !isHere) given.issues.push({ code: 'custom', input: auth, path: ['authentication', 'kind'], message: 'header is for payers on loopback only' });
    if (auth?.kind === 'none' && !isHere && files?.certificateFile === undefined) given.issues.push({ code: 'custom', input: auth, path: ['authentication', 'kind'], message: 'none needs a client certificate (tls), or a payer on loopback' });
  });

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Absolute https without a query, a fragment or a password; http on loopback. */
export function isSecureAddress(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.has(url.hostname))) && url.search === '' && url.hash === '' && url.username === '' && url.password === '';
}

/** A path is this server itself. */
function isLoopback(text: string): boolean {
  return text.startsWith('/') || LOOPBACK.has(URL.parse(text)?.hostname ?? '');
}

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
