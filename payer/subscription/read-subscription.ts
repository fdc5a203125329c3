import type { Subscription } from '@medplum/fhirtypes';
import { z } from 'zod';
import type { PasVersion } from '../pas-version.ts';
import { PayerError } from '../payer-error.ts';
import { BACKPORT_URL, PAS_TOPIC } from '../terms.ts';

/** The guide, its example and its test kit name the one filter differently; each is read. */
const FILTER_NAMES: readonly string[] = ['org-identifier', 'orgIdentifier', 'identifier'];
const JSON_TYPES: readonly string[] = ['application/fhir+json', 'application/json'];
const LEAST_HEARTBEAT_SECONDS = 5;

export type PayloadContent = 'id-only' | 'full-resource';

/** What each version of the guide lets a notification carry, the usual one first. */
const CONTENTS: { readonly [V in PasVersion]: readonly PayloadContent[] } = { '2.0.1': ['id-only', 'full-resource'], '2.2.1': ['full-resource'] };

const extensions = z.object({ extension: z.array(z.looseObject({ url: z.string() })).optional() }).optional();
const SubscriptionInput = z.looseObject({
  resourceType: z.literal('Subscription'),
  id: z.string().optional(),
  status: z.enum(['requested', 'active', 'error', 'off']),
  end: z.iso.datetime({ offset: true }).optional(),
  criteria: z.literal(PAS_TOPIC),
  _criteria: extensions,
  channel: z.looseObject({
    type: z.string(),
    endpoint: z.url({ protocol: /^https?$/ }),
    payload: z.string().refine((type) => JSON_TYPES.includes(type.split(';')[0]?.trim() ?? ''), 'must be application/fhir+json').optional(),
    _payload: extensions,
    header: z.array(z.string().regex(/^(?:authorization|x-[a-z0-9-]+)\s*:\s*[\x20-\x7e]+$/i, 'must be an Authorization or X- header on one line')).max(10).optional(),
  }),
});

export interface ReadSubscription {
  readonly subscription: Subscription;
  /** Seconds. */
  readonly heartbeat: number | null;
}

/**
 * Reads a Subscription that a client writes. `allowedOrigin` is the only origin it may name as its endpoint, so that nobody can make
 * this payer call an address of their choice.
 * @throws PayerError 400 or 422 with one issue for each fault
 */
export function readSubscription(body: unknown, allowedOrigin: string, version: PasVersion): ReadSubscription {
  if (typeof body !== 'object' || body === null || !('resourceType' in body) || body.resourceType !== 'Subscription') {
    throw new PayerError(400, { code: 'structure', text: 'The body must be a FHIR Subscription.', expression: 'Subscription' });
  }
  const parsed = SubscriptionInput.safeParse(body);
  if (!parsed.success) {
    throw new PayerError(422, parsed.error.issues.map(({ path, message }) => ({ code: 'value' as const, text: message, expression: ['Subscription', ...path].join('.') })));
  }
  const { channel } = parsed.data;
  if (channel.type !== 'rest-hook') throw new PayerError(400, { code: 'not-supported', text: 'Notifications are sent by rest-hook only.', expression: 'Subscription.channel.type' });
  const subscription = parsed.data as unknown as Subscription;
  if (new URL(channel.endpoint).origin !== allowedOrigin) {
    throw new PayerError(422, { code: 'security', text: 'The endpoint must be on the origin that this client registered.', expression: 'Subscription.channel.endpoint' });
  }
  const allowed = CONTENTS[version];
  if (!allowed.some((content) => content === writtenContent(subscription))) {
    throw new PayerError(422, { code: 'not-supported', text: `Notifications of PAS ${version} carry ${allowed.join(' or ')}: say so in backport-payload-content.`, expression: 'Subscription.channel.payload' });
  }
  for (const { name, values } of filtersOf(subscription)) {
    if (!FILTER_NAMES.includes(name) || values.some((value) => value === '')) {
      throw new PayerError(422, { code: 'not-supported', text: `This topic filters by ${FILTER_NAMES.join(', ')} only, with one or more identifiers.`, expression: 'Subscription.criteria' });
    }
  }
  return { subscription, heartbeat: heartbeatOf(channel) };
}

interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

type Extended = { readonly extension?: readonly { readonly url?: string; readonly valueString?: string; readonly valueCode?: string }[] };

/** `name=value,value`, with or without "ClaimResponse?" before it. */
function filtersOf(subscription: Subscription): readonly Filter[] {
  const { _criteria } = subscription as { _criteria?: Extended };
  return (_criteria?.extension ?? [])
    .filter(({ url }) => url === BACKPORT_URL.filterCriteria)
    .map(({ valueString = '' }) => {
      const [name = '', ...rest] = valueString.replace(/^[A-Za-z]+\?/, '').split('=');
      return { name: name.trim(), values: rest.join('=').split(',').map((value) => value.trim()) };
    });
}

/** The identifiers that a subscription names, without their systems. */
export function filteredIdentifiers(subscription: Subscription): readonly string[] {
  return filtersOf(subscription).flatMap(({ values }) => values.map((value) => value.split('|').at(-1) ?? value));
}

/** True when the submitter's identifiers meet every filter; `system|value` compares both, a bare value the value. */
export function meetsFilters(subscription: Subscription, submitter: readonly { readonly system: string; readonly value: string }[]): boolean {
  return filtersOf(subscription).every(({ values }) =>
    values.some((wanted) => submitter.some(({ system, value }) => (wanted.includes('|') ? wanted === `${system}|${value}` : wanted === value))),
  );
}

/** What the client wrote; id-only where it wrote nothing (backport). */
export function writtenContent({ channel }: Subscription): string {
  const { _payload } = (channel ?? {}) as { _payload?: Extended };
  return _payload?.extension?.find(({ url }) => url === BACKPORT_URL.payloadContent)?.valueCode ?? 'id-only';
}

function heartbeatOf(channel: Readonly<Record<string, unknown>>): number | null {
  const asked = z.object({ extension: z.array(z.looseObject({ url: z.string(), valueUnsignedInt: z.int().min(1).max(86_400).optional() })) }).safeParse(channel);
  const seconds = asked.data?.extension.find(({ url }) => url === BACKPORT_URL.heartbeatPeriod)?.valueUnsignedInt;
  return seconds === undefined ? null : Math.max(seconds, LEAST_HEARTBEAT_SECONDS);
}
