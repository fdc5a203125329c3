import { randomUUID } from 'node:crypto';
import { BrokenCircuitError, circuitBreaker, ConsecutiveBreaker, handleType } from 'cockatiel';
import { importJWK, SignJWT } from 'jose';
import { z } from 'zod';
import type { Resource } from '@medplum/fhirtypes';
import { referenceTo } from '#fhir/base/reference.ts';
import type { Payer, PayerCrdService } from '#prior-auth/coverage-requirement/payer.ts';
import type { CoverageRequirement } from '#prior-auth/coverage-requirement/requirement.ts';
import type { SigningKey } from '#store/signing-keys.ts';
import type { Card } from '../hook-answer.ts';
import type { Hook } from '../hook-call.ts';
import type { AnswerWriter } from '../versions/answer-writer.ts';
import { type Forwarded, forwardedCall } from './forwarded-call.ts';
import { readPayersCards } from './payers-cards.ts';
import { type PayersWord, readPayersWord } from './payers-word.ts';
import { nestingOf, readLimited } from '../read-limited.ts';

/** How asking a payer's own service can end without an answer. */
export type NoAnswer = 'late' | 'down' | 'wrong' | 'not-admitted' | 'resting' | 'refused' | 'not-offered';

export type PayersReply =
  | {
      readonly kind: 'answered';
      /** By "Type/id". What was asked about and is missing here, or in no usable form, is ours to answer. */
      readonly requirements: ReadonlyMap<string, CoverageRequirement>;
      readonly cards: readonly Card[];
      /** What of the answer was not taken. */
      readonly faults: readonly PayersFault[];
    }
  | { readonly kind: 'no-answer'; readonly why: NoAnswer };

export type PayersFault = Extract<PayersWord, { kind: 'not-usable' }>['why'] | 'not-asked' | 'other-action';

export interface PayerServices {
  /** Rejects for the call's own data only, where it is of no form that can be forwarded. `deadline` ends it early. */
  ask(payer: Payer & { readonly crd: PayerCrdService }, forwarded: Forwarded, writer: AnswerWriter, deadline: AbortSignal): Promise<PayersReply>;
}

export interface PayerServicesOptions {
  /** This service's public address: it is the `iss` of our calls, and the keys are under it. */
  readonly serviceUrl: string;
  readonly key: SigningKey;
  readonly now: () => number;
  /** How long a service that failed five times in a row is left alone. */
  readonly restMs?: number;
}

const DISCOVERY_LIFE_MS = 3_600_000;
const MAX_ANSWER_BYTES = 1_048_576;
/** No FHIR resource is nested so deep; what is exhausts the stack of who reads or writes it. */
const MAX_DEPTH = 100;
/** One that had this long and has not answered is late, whoever's deadline it was. */
const FAIR_MS = 200;
const JWT_LIFE_SECONDS = 120;

const discovery = z.object({
  services: z.array(z.looseObject({ hook: z.string(), id: z.string().regex(/^[\w.~-]+$/), prefetch: z.record(z.string(), z.string()).optional().catch(undefined), extension: z.looseObject({ 'davinci-crd.version': z.array(z.string()).optional().catch(undefined) }).optional().catch(undefined) })),
});
type Service = z.infer<typeof discovery>['services'][number];

const answer = z.looseObject({
  cards: z.unknown(),
  systemActions: z.array(z.looseObject({ type: z.string(), resource: z.looseObject({ resourceType: z.string() }).optional().catch(undefined) })).catch([]),
});

/** The service is out of order, or does not know our signature: asking on would cost every order its time. */
class OutOfOrder extends Error {
  readonly why: Extract<NoAnswer, 'late' | 'down' | 'wrong' | 'not-admitted'>;

  constructor(why: OutOfOrder['why'], options?: ErrorOptions) {
    super(why, options);
    this.why = why;
  }
}

/** Our call's own deadline: the service may be as well as ever. */
class OurTimeIsOver extends Error {}

/** Rejects when the signal is aborted. */
function ended(signal: AbortSignal): Promise<never> {
  const over = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(new OurTimeIsOver());
    signal.addEventListener('abort', () => reject(new OurTimeIsOver()), { once: true });
  });
  over.catch(() => undefined);
  return over;
}

/** CDS Hooks client of the payers' own CRD services. Their addresses come from the directory of payers and nowhere else. */
export function createPayerServices({ serviceUrl, key, now, restMs = 10_000 }: PayerServicesOptions): PayerServices {
  const privateKey = importJWK(key.privateJwk, key.alg);
  const offered = new Map<string, { readonly services: readonly Service[]; readonly until: number }>();
  /** Why each one gave no answer last. */
  const trouble = new Map<string, NoAnswer>();
  const breakers = new Map<string, ReturnType<typeof newBreaker>>();
  const newBreaker = () => circuitBreaker(handleType(OutOfOrder), { halfOpenAfter: restMs, breaker: new ConsecutiveBreaker(5) });
  const breakerOf = (payer: Payer) => {
    const breaker = breakers.get(payer.id) ?? newBreaker();
    breakers.set(payer.id, breaker);
    return breaker;
  };

  const send = async (url: string, body: object | undefined, signal: AbortSignal): Promise<{ readonly status: number; readonly json: unknown }> => {
    const seconds = Math.floor(now() / 1000);
    const token = await new SignJWT({ iss: serviceUrl, aud: url, iat: seconds, exp: seconds + JWT_LIFE_SECONDS, jti: randomUUID() })
      .setProtectedHeader({ alg: key.alg, kid: key.publicJwk.kid ?? '', typ: 'JWT', jku: `${serviceUrl}/.well-known/jwks.json` })
      .sign(await privateKey);
    const headers = { accept: 'application/json', authorization: `Bearer ${token}`, ...(body ? { 'content-type': 'application/json' } : {}) };
    try {
      const response = await fetch(url, { method: body ? 'POST' : 'GET', headers, redirect: 'error', signal, ...(body ? { body: JSON.stringify(body) } : {}) });
      if (response.status >= 400 && response.status < 500 && ![401, 403, 404, 408, 429].includes(response.status)) {
        await response.body?.cancel();
        return { status: response.status, json: undefined };
      }
      if (response.status !== 200) {
        await response.body?.cancel();
        throw new OutOfOrder(response.status === 401 || response.status === 403 ? 'not-admitted' : 'down');
      }
      const text = await readLimited(response, MAX_ANSWER_BYTES);
      if (text === undefined || nestingOf(text) > MAX_DEPTH) throw new OutOfOrder('wrong');
      return { status: 200, json: JSON.parse(text) };
    } catch (error) {
      if (error instanceof OutOfOrder) throw error;
      if (error instanceof SyntaxError) throw new OutOfOrder('wrong', { cause: error });
      throw new OutOfOrder(signal.aborted ? 'late' : 'down', { cause: error });
    }
  };

  const serviceFor = async (payer: Payer & { readonly crd: PayerCrdService }, hook: Hook, signal: AbortSignal): Promise<Service | undefined> => {
    const { baseUrl, version } = payer.crd;
    let known = offered.get(payer.id);
    if (!known || known.until <= now()) {
      const { json } = await send(`${baseUrl}/cds-services`, undefined, signal);
      const read = discovery.safeParse(json);
      if (!read.success) throw new OutOfOrder('wrong');
      known = { services: read.data.services, until: now() + DISCOVERY_LIFE_MS };
      offered.set(payer.id, known);
    }
    const ofHook = known.services.filter((service) => service.hook === hook);
    return ofHook.find(({ extension }) => extension?.['davinci-crd.version']?.includes(version)) ?? ofHook.find(({ extension }) => extension?.['davinci-crd.version'] === undefined);
  };

  const exchange = async (payer: Payer & { readonly crd: PayerCrdService }, forwarded: Forwarded, writer: AnswerWriter, signal: AbortSignal): Promise<PayersReply> => {
    const service = await serviceFor(payer, forwarded.call.hook, signal);
    if (!service) return { kind: 'no-answer', why: 'not-offered' };
    const url = `${payer.crd.baseUrl}/cds-services/${service.id}`;
    const call = forwardedCall(forwarded, randomUUID(), payer.crd.version, service.prefetch ?? {});
    let reply;
    try {
      reply = await send(url, call, signal);
    } catch (error) {
      // What its discovery said may be out of date.
      offered.delete(payer.id);
      throw error;
    }
    if (reply.status !== 200) return { kind: 'no-answer', why: 'refused' };
    const read = answer.safeParse(reply.json);
    if (!read.success) throw new OutOfOrder('wrong');
    try {
      return { kind: 'answered', ...readActions(read.data.systemActions, forwarded), cards: readPayersCards(read.data.cards, { payer, patientId: forwarded.call.patientId, foci: forwarded.foci.map(({ resource }) => resource), writer }) };
    } catch (error) {
      // Of a form that nobody thought of.
      throw new OutOfOrder('wrong', { cause: error });
    }
  };

  return {
    async ask(payer, forwarded, writer, deadline) {
      const signal = AbortSignal.any([deadline, AbortSignal.timeout(payer.crd.timeoutMs)]);
      const late = ended(deadline);
      try {
        const asking = breakerOf(payer).execute(async () => {
          const beganAt = performance.now();
          return Promise.race([exchange(payer, forwarded, writer, signal), late]).catch((error: unknown) => {
            throw error instanceof OurTimeIsOver && performance.now() - beganAt > FAIR_MS ? new OutOfOrder('late') : error;
          });
        });
        // While one call tries a service that has rested, the others wait for it, but no longer than they may.
        return await Promise.race([asking, late]);
      } catch (error) {
        if (error instanceof OurTimeIsOver) return { kind: 'no-answer', why: 'late' };
        // One that does not admit us is not out of order, though it too is left alone for a while: the operators of both sides have to look.
        if (error instanceof BrokenCircuitError) return { kind: 'no-answer', why: trouble.get(payer.id) === 'not-admitted' ? 'not-admitted' : 'resting' };
        if (!(error instanceof OutOfOrder)) throw error;
        trouble.set(payer.id, error.why);
        return { kind: 'no-answer', why: error.why };
      }
    },
  };
}

function readActions(actions: z.infer<typeof answer>['systemActions'], { foci }: Forwarded): { readonly requirements: ReadonlyMap<string, CoverageRequirement>; readonly faults: readonly PayersFault[] } {
  const requirements = new Map<string, CoverageRequirement>();
  const faults: PayersFault[] = [];
  for (const { type, resource } of actions) {
    if (type !== 'update' || !resource) {
      faults.push('other-action');
      continue;
    }
    const reference = referenceTo(resource);
    const isIt = (sent: Resource | undefined): sent is Resource => sent !== undefined && reference !== undefined && referenceTo(sent) === reference;
    const asked = foci.find((focus) => isIt(focus.resource)) ?? foci.find(({ counterpart }) => isIt(counterpart));
    const on = asked && referenceTo(asked.resource);
    if (!asked || on === undefined) {
      faults.push('not-asked');
      continue;
    }
    const word = readPayersWord(resource as unknown as Resource, { coverage: asked.coverage, resource: isIt(asked.counterpart) ? asked.counterpart : asked.resource });
    if (word.kind === 'said' && !requirements.has(on)) requirements.set(on, word.requirement);
    else faults.push(word.kind === 'said' ? 'contradicts-itself' : word.why);
  }
  return { requirements, faults };
}
