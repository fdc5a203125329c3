import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import { CRD_URLS } from '#fhir/crd/canonical-urls.ts';
import type { AuditTrail } from '#store/audit.ts';
import { FhirRefusal } from '../errors.ts';
import { accessOfScopes } from '../fhir/access.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import { parseResource } from '../fhir/structure.ts';
import type { AccessTokens } from '../smart/access-token.ts';
import { orderConcept, simpleCoverageInformation } from '../ui/chart.ts';
import { type Order, readOrder } from '../ui/order.ts';
import { SCREEN_ACCESS } from '../ui/people.ts';
import { UiRefusal } from '../ui/refusal.ts';
import type { CdsClient } from './cds-service.ts';
import { fulfilPrefetch, type HookContext } from './prefetch.ts';

const ORDER_SIGN_SERVICE = 'order-sign-crd';
/** The OAuth client id of the service at this EHR. */
const SERVICE_CLIENT_ID = 'open-prior-auth-cds';
const SERVICE_SCOPE = 'patient/*.rs';
/** CRD 2.0.1: an access token for a hook should live 30 seconds. */
const TOKEN_SECONDS = 30;

export interface SignOrderOptions {
  readonly repository: FhirRepository;
  readonly tokens: AccessTokens;
  readonly cds: CdsClient;
  readonly audit: AuditTrail;
  readonly log: Logger;
}

export interface SignedOrder {
  readonly order: string;
  readonly hook: { readonly ms: number; readonly status: number | null };
  readonly cards: readonly unknown[];
  readonly coverageInformation: readonly object[];
  readonly failure?: { readonly message: string };
}

type HookOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly cards: readonly unknown[]; readonly update: Order | undefined }
  | { readonly kind: 'failed'; readonly status: number | null; readonly message: string };

const hookResponse = z.object({
  cards: z.array(z.looseObject({ summary: z.string(), indicator: z.string(), source: z.looseObject({ label: z.string() }) })),
  systemActions: z.array(z.looseObject({ type: z.string(), resource: z.unknown() })).optional(),
});

/** Asks the payer's CDS service, then makes the order active with what it said. Whatever goes wrong with the service, the order is signed. */
export async function signOrder(options: SignOrderOptions, user: string, reference: string): Promise<SignedOrder> {
  const { repository, audit } = options;
  const { order, patientId } = await readOrder(repository, reference);
  if (!['draft', 'active', 'on-hold'].includes(order.status ?? '')) throw new UiRefusal(409, 'ORDER_NOT_SIGNABLE', `An order that is ${order.status} cannot be signed.`);
  const began = performance.now();
  const outcome = await askService(options, user, order, patientId);
  const hook = { ms: Math.round(performance.now() - began), status: outcome.status };
  const signed: Order = { ...(outcome.kind === 'answered' ? (outcome.update ?? order) : order), status: 'active' };
  const cards = outcome.kind === 'answered' ? outcome.cards : [];
  const failure = outcome.kind === 'failed' ? { message: outcome.message } : undefined;
  await repository.transaction(async (inside) => {
    await inside.write([{ kind: 'put', resource: signed, ifMatch: Number(order.meta?.versionId) }], SCREEN_ACCESS).catch(refuseChangedOrder);
    const row = { answered_ms: repository.now(), outcome: JSON.stringify({ hook, cards, ...(failure ? { failure } : {}) }) };
    await inside.db.insertInto('ehr.order_hook').values({ order_reference: reference, ...row }).onConflict((c) => c.column('order_reference').doUpdateSet(row)).execute();
  });
  audit.record({ action: 'ehr-order-signed', who: user, what: [reference, `Patient/${patientId}`], details: { hookMs: hook.ms, hookStatus: hook.status ?? 0 } });
  return { order: reference, hook, cards, coverageInformation: simpleCoverageInformation(signed), ...(failure ? { failure } : {}) };
}

function refuseChangedOrder(error: unknown): never {
  if (error instanceof FhirRefusal && (error.status === 412 || error.status === 409)) {
    throw new UiRefusal(409, 'ORDER_CHANGED', 'The order was changed while it was being signed.', 'Look at it again, then sign it.');
  }
  throw error;
}

async function askService(options: SignOrderOptions, user: string, order: Order, patientId: string): Promise<HookOutcome> {
  const { cds, log } = options;
  try {
    const service = await cds.discover(ORDER_SIGN_SERVICE);
    if (!service) return { kind: 'failed', status: null, message: 'The payer offers no coverage check for signing orders.' };
    const request = await orderSignRequest(options, user, order, patientId, service.prefetch ?? {});
    const { status, body } = await cds.call(ORDER_SIGN_SERVICE, request);
    const parsed = status === 200 ? hookResponse.safeParse(body) : undefined;
    if (!parsed?.success) {
      cds.forget();
      log.warn({ status }, 'order-sign service gave no usable answer');
      return { kind: 'failed', status, message: status === 200 ? 'The coverage check gave an answer that cannot be read.' : `The coverage check answered with status ${status}.` };
    }
    return { kind: 'answered', status, cards: parsed.data.cards, update: updateOf(order, parsed.data.systemActions ?? []) };
  } catch (error) {
    cds.forget();
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    log.warn({ err: { name: error instanceof Error ? error.name : 'unknown' } }, 'order-sign service failed');
    return { kind: 'failed', status: null, message: timedOut ? 'The coverage check took too long.' : 'The coverage check could not be reached.' };
  }
}

async function orderSignRequest(options: SignOrderOptions, user: string, order: Order, patientId: string, templates: Readonly<Record<string, string>>): Promise<object> {
  const { repository, tokens } = options;
  const encounterId = /^Encounter\/(.+)$/.exec(order.encounter?.reference ?? '')?.[1];
  const context: HookContext = {
    userId: user,
    patientId,
    ...(encounterId ? { encounterId } : {}),
    draftOrders: { resourceType: 'Bundle', type: 'collection', entry: [{ fullUrl: `${repository.fhirBase}/${order.resourceType}/${order.id}`, resource: { ...order, status: 'draft' } }] },
  };
  const accessToken = await tokens.mint({ clientId: SERVICE_CLIENT_ID, user, patient: patientId, scope: SERVICE_SCOPE, lifetimeSeconds: TOKEN_SECONDS });
  const prefetch = await fulfilPrefetch(templates, context, repository, accessOfScopes(user, SERVICE_SCOPE, patientId));
  return {
    hook: 'order-sign',
    hookInstance: randomUUID(),
    fhirServer: repository.fhirBase,
    fhirAuthorization: { access_token: accessToken, token_type: 'Bearer', expires_in: TOKEN_SECONDS, scope: SERVICE_SCOPE, subject: SERVICE_CLIENT_ID, patient: patientId },
    context,
    ...(Object.keys(prefetch).length > 0 ? { prefetch } : {}),
  };
}

/** The order as a systemAction changes it: only an update of this very order counts, and only when it is still for the same patient and thing. */
function updateOf(order: Order, actions: readonly { readonly type: string; readonly resource?: unknown }[]): Order | undefined {
  for (const action of actions) {
    if (action.type !== 'update') continue;
    const resource = readAction(action.resource);
    if (resource?.resourceType !== order.resourceType || resource.id !== order.id) continue;
    const changed = resource as Order;
    const sameOrder = changed.subject?.reference === order.subject.reference && JSON.stringify(codesOf(changed)) === JSON.stringify(codesOf(order));
    if (!sameOrder) continue;
    return { ...order, ...(changed.extension ? { extension: mergeExtensions(order, changed) } : {}), ...(changed.note ? { note: changed.note } : {}) };
  }
  return undefined;
}

const codesOf = (order: Order): string[] => (orderConcept(order)?.coding ?? []).map((coding) => coding.code?.trim() ?? '');

/** The payer's word replaces its earlier word; other extensions of the order stay. */
function mergeExtensions(order: Order, changed: Order): NonNullable<Order['extension']> {
  const kept = (order.extension ?? []).filter((extension) => extension.url !== CRD_URLS.coverageInformation);
  const added = (changed.extension ?? []).filter((extension) => extension.url === CRD_URLS.coverageInformation);
  return [...kept, ...added];
}

function readAction(resource: unknown): ReturnType<typeof parseResource> | undefined {
  try {
    return parseResource(resource);
  } catch (error) {
    if (error instanceof FhirRefusal) return undefined;
    throw error;
  }
}
