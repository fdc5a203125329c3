import type { Organization } from '@medplum/fhirtypes';
import { z } from 'zod';
import type { Payer } from '#prior-auth/coverage-requirement/payer.ts';
import { quirksOf } from '#prior-auth/coverage-requirement/payer-quirks.ts';
import type { KeyRing } from '#store/signing-keys.ts';
import { inquiryBody } from '../payer/inquire.ts';
import { parseJson, readTokenEndpoint, smartConfiguration, smartConfigurationUrl } from './backend-services.ts';
import { checkNetwork } from './check-network.ts';
import { adviceFor, type CheckStep, type ConnectionReport } from './check-report.ts';
import { type Connection, createConnection } from './connection.ts';
import { nobodyInquiry } from './nobody-inquiry.ts';
import { createTransport, type HttpAnswer, Unavailable } from './transport.ts';

export interface CheckParts {
  readonly keys: Pick<KeyRing, 'current'>;
  readonly clientId: string;
  readonly scope: string;
  readonly baseUrl: string;
  /** Asks in the inquiry. */
  readonly clinic: Organization;
  readonly now: () => number;
  /** For each step. Default 10,000. */
  readonly timeoutMs?: number;
}

/** Walks through a connection from the name to the operations, over a connection of its own, and says of each step what is wrong and what to do. No patient data is sent. */
export async function checkConnection(payer: Payer, { keys, clientId, scope, baseUrl, clinic, now, timeoutMs = 10_000 }: CheckParts): Promise<ConnectionReport> {
  const connection = createConnection(payer, { clientId, scope, keys, now, discovers: true, timeoutMs });
  const endpoint = await connection.endpoint('submission');
  const { fhirBase } = endpoint;
  const steps: CheckStep[] = [{ name: 'Endpoint', state: payer.discoveryBase !== undefined && endpoint.source === 'configured' ? 'warning' : 'ok', what: `${fhirBase}, because ${endpoint.why}.` }];
  const network = await checkNetwork(fhirBase, payer.tls, now(), timeoutMs);
  steps.push(...network);
  if (network.some(({ state }) => state === 'failed')) {
    steps.push(...['SMART configuration', 'Token', 'CapabilityStatement', 'Inquiry', 'Subscription'].map((name): CheckStep => ({ name, state: 'skipped', what: 'The payer cannot be reached.' })));
  } else {
    const transport = createTransport(payer.tls, now);
    const authentication = payer.authentication ?? { kind: 'backend-services' };
    const token = await checkToken(payer, connection, fhirBase, (url) => transport.send(url, { method: 'GET', headers: { accept: 'application/json' }, timeoutMs }));
    steps.push(...token);
    const capabilities = await readCapabilities(connection);
    steps.push(checkCapabilities(payer, capabilities), await checkInquiry(payer, connection, clinic, now()), checkSubscription(payer, capabilities));
    if (authentication.kind === 'backend-services') steps.push(ourKeys(baseUrl, token.some(({ name, state }) => name === 'Token' && state === 'ok')));
  }
  return {
    payerId: payer.id, payerName: payer.name, pasVersion: payer.pasVersion, mode: payer.mode ?? 'electronic', fhirBase, endpoint: endpoint.why,
    testedAt: new Date(now()).toISOString(),
    result: steps.some(({ state }) => state === 'failed') ? 'failed' : 'ok',
    steps,
  };
}

async function checkToken(payer: Payer, connection: Connection, fhirBase: string, get: (url: string) => Promise<HttpAnswer>): Promise<readonly CheckStep[]> {
  const authentication = payer.authentication ?? { kind: 'backend-services' };
  if (authentication.kind !== 'backend-services') {
    const what = authentication.kind === 'none' ? 'No token: the client certificate says who we are.' : `No token: the header ${authentication.name} goes along.`;
    return [{ name: 'Token', state: 'skipped', what }];
  }
  const steps: CheckStep[] = [];
  const algorithm = authentication.algorithm ?? 'ES384';
  try {
    if (authentication.tokenEndpoint === undefined) {
      const answer = await get(smartConfigurationUrl(fhirBase));
      const tokenEndpoint = readTokenEndpoint(answer, fhirBase);
      const said = smartConfiguration.parse(parseJson(answer.body));
      const missing = [
        ...(said.token_endpoint_auth_methods_supported?.includes('private_key_jwt') === false ? ['private_key_jwt'] : []),
        ...(said.grant_types_supported?.includes('client_credentials') === false ? ['client_credentials'] : []),
        ...(said.token_endpoint_auth_signing_alg_values_supported?.includes(algorithm) === false ? [algorithm] : []),
      ];
      const what = `The token endpoint is ${tokenEndpoint}.`;
      steps.push(missing.length > 0 ? { name: 'SMART configuration', state: 'warning', what: `${what} Not named as supported: ${missing.join(', ')}.`, todo: missing.includes(algorithm) ? `Set authentication.algorithm to one of ${said.token_endpoint_auth_signing_alg_values_supported?.join(', ')}.` : 'Ask the payer whether it takes SMART Backend Services.' } : { name: 'SMART configuration', state: 'ok', what });
    }
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return [
      { name: 'SMART configuration', state: 'failed', what: `${smartConfigurationUrl(fhirBase)}: ${error.message}.`, todo: 'Check the FHIR base. If the payer publishes none, set authentication.tokenEndpoint.' },
      { name: 'Token', state: 'skipped', what: 'There is no token endpoint.' },
    ];
  }
  try {
    await connection.authorization(fhirBase);
    return [...steps, { name: 'Token', state: 'ok', what: `The payer gave a token to ${authentication.clientId ?? 'our client'} for our ${algorithm} signature.` }];
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return [...steps, { name: 'Token', state: 'failed', what: `${error.message}.`, todo: TOKEN_ADVICE[error.code] ?? adviceFor(error.code, new URL(fhirBase).hostname) }];
  }
}

const TOKEN_ADVICE: { readonly [code: string]: string | undefined } = {
  invalid_client: 'The payer does not know our client id or our key. Compare authentication.clientId with its registration, and have it read our key set again.',
  unauthorized_client: 'Our client is registered, but not for client_credentials. Ask the payer.',
  invalid_scope: 'The payer does not give these scopes. Set authentication.scope to those it registered for us.',
  invalid_request: 'The payer does not take the form of our request. It may want another algorithm (authentication.algorithm).',
};

const capabilityStatement = z.object({
  resourceType: z.literal('CapabilityStatement'),
  fhirVersion: z.string().optional(),
  implementationGuide: z.array(z.string()).optional(),
  rest: z.array(z.object({
    operation: z.array(z.object({ name: z.string(), definition: z.string().optional() })).optional(),
    resource: z.array(z.object({ type: z.string(), interaction: z.array(z.object({ code: z.string() })).optional(), operation: z.array(z.object({ name: z.string(), definition: z.string().optional() })).optional() })).optional(),
  })).optional(),
});
type Capabilities = { readonly kind: 'read'; readonly statement: z.infer<typeof capabilityStatement> } | { readonly kind: 'none'; readonly why: string };

async function readCapabilities(connection: Connection): Promise<Capabilities> {
  try {
    const { status, body } = await connection.call('GET', 'metadata', undefined);
    const parsed = status === 200 ? capabilityStatement.safeParse(parseJson(body)) : undefined;
    return parsed?.success ? { kind: 'read', statement: parsed.data } : { kind: 'none', why: `metadata answered HTTP ${status}${status === 200 ? ' without a readable CapabilityStatement' : ''}` };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { kind: 'none', why: `metadata: ${error.message}` };
  }
}

function checkCapabilities(payer: Payer, capabilities: Capabilities): CheckStep {
  const name = 'CapabilityStatement';
  if (capabilities.kind === 'none') return { name, state: 'warning', what: `${capabilities.why}.`, todo: 'Ask the payer which operations it serves, or go by the inquiry below.' };
  const { fhirVersion, implementationGuide = [], rest = [] } = capabilities.statement;
  const operations = rest.flatMap(({ operation = [], resource = [] }) => [...operation, ...resource.filter(({ type }) => type === 'Claim').flatMap((each) => each.operation ?? [])]);
  const has = (...names: readonly string[]) => operations.some((operation) => names.includes(operation.name.replace(/^\$/, '').toLowerCase()) || names.some((each) => operation.definition?.toLowerCase().includes(`claim-${each}`)));
  const missing = [...(has('submit') ? [] : ['$submit']), ...(has('inquire', 'inquiry') ? [] : ['$inquire'])];
  const versions = implementationGuide.flatMap((guide) => /davinci-pas\|(\d+\.\d+(?:\.\d+)?)/.exec(guide)?.[1] ?? []);
  const said = `FHIR ${fhirVersion ?? '?'}; PAS ${versions.join(', ') || 'version not named'}`;
  if (fhirVersion !== undefined && !fhirVersion.startsWith('4.0')) return { name, state: 'failed', what: `${said}.`, todo: 'PAS is FHIR R4. This is another API of the payer: correct the FHIR base.' };
  if (versions.length > 0 && !versions.includes(payer.pasVersion)) return { name, state: 'failed', what: `${said}; this connection is set to ${payer.pasVersion}.`, todo: 'Versions stand at different addresses. Set pasVersion to what this one speaks, or the FHIR base to the address of the other.' };
  if (missing.length > 0) return { name, state: 'warning', what: `${said}; it does not name ${missing.join(' and ')}.`, todo: 'Ask the payer; the address may be that of another of its APIs.' };
  return { name, state: 'ok', what: `${said}; $submit and $inquire are named.` };
}

async function checkInquiry(payer: Payer, connection: Connection, clinic: Organization, nowMs: number): Promise<CheckStep> {
  const name = 'Inquiry';
  const { inquiryOperation } = quirksOf(payer);
  const body = inquiryBody(payer, JSON.stringify(nobodyInquiry(payer, clinic, nowMs)));
  try {
    const { status, body: answer } = await connection.call('POST', `Claim/${inquiryOperation}`, body);
    const read = z.object({ resourceType: z.string() }).safeParse(parseJson(answer));
    if (status >= 400) return { name, state: 'failed', what: `${inquiryOperation} about nobody was refused: HTTP ${status}${outcomeWords(answer)}.`, todo: STATUS_ADVICE[status] ?? 'Show the payer these words: it does not take a legal inquiry.' };
    if (!read.success || !['Bundle', 'Parameters', 'OperationOutcome'].includes(read.data.resourceType)) return { name, state: 'failed', what: `${inquiryOperation} answered HTTP ${status} without a FHIR Bundle.`, todo: 'Check the FHIR base; something else may answer there.' };
    if (answer.includes('"ClaimResponse"')) return { name, state: 'warning', what: `${inquiryOperation} about a member that does not exist brought an answer.`, todo: 'Right for a payer’s test system with canned answers; a fault anywhere else.' };
    return { name, state: 'ok', what: `${inquiryOperation} about a member that does not exist: HTTP ${status}, nothing found.` };
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    return { name, state: 'failed', what: `${inquiryOperation}: ${error.message}.`, todo: STATUS_ADVICE[Number(error.code.slice(5))] ?? adviceFor(error.code, new URL(payer.fhirBase).hostname) };
  }
}

const STATUS_ADVICE: { readonly [status: number]: string | undefined } = {
  401: 'The payer does not take our token here. Check authentication.scope and the FHIR base.',
  403: 'Our client may not use this operation. Ask the payer to allow it, or set authentication.scope.',
  404: 'There is no such operation at this address. Check the FHIR base, or quirks.inquiryOperation.',
  429: 'The payer wants fewer requests. Lower quirks.concurrency, or ask for a higher limit.',
};

function outcomeWords(body: string): string {
  const outcome = z.object({ resourceType: z.literal('OperationOutcome'), issue: z.array(z.object({ code: z.string(), diagnostics: z.string().optional(), details: z.object({ text: z.string().optional() }).optional() })) }).safeParse(parseJson(body));
  if (!outcome.success) return '';
  return outcome.data.issue.slice(0, 3).map(({ code, diagnostics, details }) => `, ${code}${diagnostics ?? details?.text ? ` (${(details?.text ?? diagnostics ?? '').slice(0, 200)})` : ''}`).join('');
}

function checkSubscription(payer: Payer, capabilities: Capabilities): CheckStep {
  const name = 'Subscription';
  if (payer.subscriptions === 'none') return { name, state: 'skipped', what: 'Not used: pended requests are followed by inquiry.' };
  if (capabilities.kind === 'none') return { name, state: 'unknown', what: 'Without a CapabilityStatement it cannot be told whether the payer offers subscriptions; none was created.' };
  const offered = capabilities.statement.rest?.some(({ resource = [] }) => resource.some(({ type, interaction = [] }) => type === 'Subscription' && interaction.some(({ code }) => code === 'create'))) ?? false;
  return offered
    ? { name, state: 'ok', what: 'The payer offers Subscription.create. None was created by this test; the first request that is sent creates one.' }
    : { name, state: 'warning', what: 'The payer’s CapabilityStatement does not offer Subscription.create.', todo: 'Set subscriptions to none: pended requests are then followed by inquiry alone.' };
}

/** What the payer sees cannot be seen from here. */
function ourKeys(baseUrl: string, hasToken: boolean): CheckStep {
  const address = `${baseUrl}/.well-known/jwks.json`;
  if (hasToken) return { name: 'Our keys', state: 'ok', what: `The payer took a signature of our present key. Whether it can read ${address} again after a rotation cannot be checked from here.` };
  return { name: 'Our keys', state: 'unknown', what: `Whether the payer can read ${address} cannot be checked from here.`, todo: 'Open it from a machine outside of your network; set PUBLIC_URL to an https address that the payer reaches.' };
}
