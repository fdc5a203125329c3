import { withoutSlashes } from '#fhir/base/reference.ts';
import { z } from 'zod';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { isSecureAddress } from '#policies/payer-schema.ts';
import { parseJson } from './backend-services.ts';
import { type Transport, Unavailable } from './transport.ts';

/** Where requests go, and why there. */
export interface EndpointChoice {
  readonly fhirBase: string;
  readonly source: 'configured' | 'discovered';
  /** In words for operators. */
  readonly why: string;
}

/** What is asked for. Each has its own endpoint code in HRex. */
export type EndpointUse = 'submission' | 'attachments';

const CODES: { readonly [U in EndpointUse]: string } = { submission: 'davinci_pas_submission_endpoint', attachments: 'davinci_cdex_attachsubmit_endpoint' };
/** CDex $submit-attachment as PAS 2.2.1 depends on it. */
const CDEX_VERSION = '2.1';

/** HRex 1.2.0 HRexWellknownDefinition. */
const davinciConfiguration = z.object({
  identifier: z.object({ system: z.string().optional(), value: z.string() }).optional(),
  endpoints: z.record(z.string(), z.unknown()),
});
export type DavinciConfiguration = z.infer<typeof davinciConfiguration>;

/** Reads the payer's list of endpoints. HRex: reachable with plain TLS, so no client certificate goes along. @throws Unavailable */
export async function readDavinciConfiguration(transport: Transport, base: string, timeoutMs: number): Promise<DavinciConfiguration> {
  const { status, body } = await transport.send(`${withoutSlashes(base)}/.well-known/davinci-configuration`, { method: 'GET', headers: { accept: 'application/json' }, timeoutMs });
  const parsed = status === 200 ? davinciConfiguration.safeParse(parseJson(body)) : undefined;
  if (!parsed?.success) throw new Unavailable(`davinci-configuration cannot be read (HTTP ${status})`, `HTTP ${status}`);
  return parsed.data;
}

/** The endpoint of our version first, then the one without a version; never one of another version: versions that differ stand at different addresses. */
export function chooseEndpoint(payer: Payer, { endpoints, identifier }: DavinciConfiguration, use: EndpointUse): EndpointChoice {
  const version = use === 'submission' ? payer.pasVersion.split('.').slice(0, 2).join('.') : CDEX_VERSION;
  const configured = (why: string): EndpointChoice => ({ fhirBase: payer.fhirBase, source: 'configured', why });
  for (const code of [`${CODES[use]}#${version}`, CODES[use]]) {
    const address = endpoints[code];
    if (address === undefined) continue;
    if (typeof address !== 'string' || !isSecureAddress(address)) return configured(`the payer’s list gives no https address for ${code}; the configured address is used`);
    return { fhirBase: withoutSlashes(address).replace(/\/(Claim\/)?\$(submit|submit-attachment)$/, ''), source: 'discovered', why: `the payer’s list names it as ${code}${isOf(payer, identifier) ? '' : `; the list says it is of payer ${identifier?.value}, which is none of the configured identifiers`}` };
  }
  const others = Object.keys(endpoints).filter((code) => code.startsWith(`${CODES[use]}#`)).map((code) => code.slice(code.indexOf('#') + 1));
  return configured(`the payer’s list has no ${CODES[use]}#${version}${others.length > 0 ? ` (it has ${others.join(', ')})` : ''}; the configured address is used`);
}

function isOf({ organizationIdentifiers }: Payer, identifier: DavinciConfiguration['identifier']): boolean {
  return identifier === undefined || organizationIdentifiers.some(({ value }) => value === identifier.value);
}

export interface EndpointDiscovery {
  /** Never rejects: without an answer of the payer the last one holds, else the configured address. */
  choose(payer: Payer, use: EndpointUse): Promise<EndpointChoice>;
}

const FRESH_MS = 3_600_000;
const RETRY_MS = 300_000;

export function createEndpointDiscovery(transport: Transport, now: () => number, timeoutMs: number): EndpointDiscovery {
  let known: DavinciConfiguration | undefined;
  let askAgainAt = Number.NEGATIVE_INFINITY;
  let fault = '';
  let asking: Promise<void> | undefined;
  const ask = async (base: string): Promise<void> => {
    try {
      known = await readDavinciConfiguration(transport, base, timeoutMs);
      askAgainAt = now() + FRESH_MS;
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      fault = error.message;
      askAgainAt = now() + RETRY_MS;
    }
  };
  return {
    async choose(payer, use) {
      if (payer.discoveryBase === undefined) return { fhirBase: payer.fhirBase, source: 'configured', why: payer.planOf === undefined ? 'it is configured' : `it is configured for the plan ${payer.id.slice(payer.planOf.length + 1)}` };
      if (askAgainAt <= now()) {
        asking ??= ask(payer.discoveryBase).finally(() => {
          asking = undefined;
        });
        await asking;
      }
      return known ? chooseEndpoint(payer, known, use) : { fhirBase: payer.fhirBase, source: 'configured', why: `the payer’s list of endpoints could not be read (${fault}); the configured address is used` };
    },
  };
}
