import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { z } from 'zod';
import { accessOfScopes } from '../fhir/access.ts';
import type { FhirRepository } from '../fhir/repository.ts';
import type { AccessTokens } from '../smart/access-token.ts';
import type { Order } from '../ui/order.ts';
import type { CdsClient } from './cds-service.ts';
import { fulfilPrefetch, type HookContext } from './prefetch.ts';

/** The OAuth client id of the service at this EHR. */
const SERVICE_CLIENT_ID = 'open-prior-auth-cds';
const SERVICE_SCOPE = 'patient/*.rs';
/** CRD 2.0.1: an access token for a hook should live 30 seconds. */
const TOKEN_SECONDS = 30;

const SERVICES = { 'order-select': 'order-select-crd', 'order-sign': 'order-sign-crd' } as const;

export interface AskOptions {
  readonly repository: FhirRepository;
  readonly tokens: AccessTokens;
  readonly cds: CdsClient;
  readonly log: Logger;
}

export interface OrderQuestion {
  readonly hook: keyof typeof SERVICES;
  readonly user: string;
  readonly order: Order;
  readonly patientId: string;
}

const action = z.looseObject({ type: z.string(), description: z.string().optional(), resource: z.unknown().optional(), resourceId: z.union([z.string(), z.array(z.string())]).optional() });
const suggestion = z.looseObject({ label: z.string(), uuid: z.string().optional(), actions: z.array(action).optional() });
const card = z.looseObject({
  uuid: z.string().optional(),
  summary: z.string(),
  indicator: z.string(),
  source: z.looseObject({ label: z.string(), topic: z.looseObject({ code: z.string().optional() }).optional() }),
  suggestions: z.array(suggestion).optional(),
});
/** The service was asked and says why it does not answer: the call does not conform (400, 422), or data is missing (412). */
const REFUSALS: readonly number[] = [400, 412, 422];
const REFUSAL_LENGTH = 400;
const refusal = z.object({ resourceType: z.literal('OperationOutcome'), issue: z.tuple([z.object({ diagnostics: z.string().trim().min(1) })], z.unknown()) });
const hookResponse = z.object({ cards: z.array(card), systemActions: z.array(action).optional() });

export type SuggestedAction = z.infer<typeof action>;
/** A card as the service sent it, and the service that takes feedback on it. */
export type GivenCard = z.infer<typeof card> & { readonly service: string };

export type HookOutcome =
  | { readonly kind: 'answered'; readonly status: number; readonly cards: readonly GivenCard[]; readonly systemActions: readonly SuggestedAction[] }
  /** The message is the service's own. */
  | { readonly kind: 'refused'; readonly status: number; readonly message: string }
  | { readonly kind: 'failed'; readonly status: number | null; readonly message: string };

/** Calls the service of the hook with one order. What goes wrong is a value: ordering never stops because a service failed. */
export async function askOrderService(options: AskOptions, question: OrderQuestion): Promise<HookOutcome> {
  const { cds, log } = options;
  const service = SERVICES[question.hook];
  try {
    const offered = await cds.discover(service);
    if (!offered) return { kind: 'failed', status: null, message: `The payer offers no coverage check for ${question.hook}.` };
    const { status, body } = await cds.call(service, await hookRequest(options, question, offered.prefetch ?? {}));
    const parsed = status === 200 ? hookResponse.safeParse(body) : undefined;
    if (!parsed?.success) {
      cds.forget();
      log.warn({ status, service }, 'CDS service gave no usable answer');
      const refused = REFUSALS.includes(status) ? refusal.safeParse(body) : undefined;
      if (refused?.success) return { kind: 'refused', status, message: bounded(refused.data.issue[0].diagnostics) };
      return { kind: 'failed', status, message: status === 200 ? 'The coverage check gave an answer that cannot be read.' : `The coverage check answered with status ${status}.` };
    }
    return { kind: 'answered', status, cards: parsed.data.cards.map((one) => ({ ...one, service })), systemActions: parsed.data.systemActions ?? [] };
  } catch (error) {
    cds.forget();
    const timedOut = error instanceof Error && error.name === 'TimeoutError';
    log.warn({ err: { name: error instanceof Error ? error.name : 'unknown' }, service }, 'CDS service failed');
    return { kind: 'failed', status: null, message: timedOut ? 'The coverage check took too long.' : 'The coverage check could not be reached.' };
  }
}

const bounded = (text: string): string => (text.length > REFUSAL_LENGTH ? `${text.slice(0, REFUSAL_LENGTH)}…` : text);

async function hookRequest({ repository, tokens }: AskOptions, { hook, user, order, patientId }: OrderQuestion, templates: Readonly<Record<string, string>>): Promise<object> {
  const encounterId = /^Encounter\/(.+)$/.exec(order.encounter?.reference ?? '')?.[1];
  const reference = `${order.resourceType}/${order.id}`;
  const context: HookContext = {
    userId: user,
    patientId,
    ...(encounterId ? { encounterId } : {}),
    draftOrders: { resourceType: 'Bundle', type: 'collection', entry: [{ fullUrl: `${repository.fhirBase}/${reference}`, resource: { ...order, status: 'draft' } }] },
  };
  const accessToken = await tokens.mint({ clientId: SERVICE_CLIENT_ID, user, patient: patientId, scope: SERVICE_SCOPE, lifetimeSeconds: TOKEN_SECONDS });
  const prefetch = await fulfilPrefetch(templates, context, repository, accessOfScopes(user, SERVICE_SCOPE, patientId));
  return {
    hook,
    hookInstance: randomUUID(),
    fhirServer: repository.fhirBase,
    fhirAuthorization: { access_token: accessToken, token_type: 'Bearer', expires_in: TOKEN_SECONDS, scope: SERVICE_SCOPE, subject: SERVICE_CLIENT_ID, patient: patientId },
    context: { ...context, ...(hook === 'order-select' ? { selections: [reference] } : {}) },
    ...(Object.keys(prefetch).length > 0 ? { prefetch } : {}),
    // This EHR has no launch of its own for documentation: it takes the service's link to the panel.
    extension: { 'davinci-crd.configuration': { 'prior-auth-panel': true } },
  };
}
