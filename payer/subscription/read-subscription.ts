import type { Subscription } from '@medplum/fhirtypes';
import { z } from 'zod';
import { PayerError } from '../payer-error.ts';
import { BACKPORT_URL, PAS_TOPIC } from '../terms.ts';

/** The guide, its example and its test kit name the one filter differently; each is read. */
const FILTER_NAMES: readonly string[] = ['org-identifier', 'orgIdentifier', 'identifier'];
const JSON_TYPES: readonly string[] = ['application/fhir+json', 'application/json'];

const extensions = z.object({ extension: z.array(z.looseObject({ url: z.string() })).optional() }).optional();
const SubscriptionInput = z.looseObject({
  resourceType: z.literal('Subscription'),
  id: z.string().optional(),
  status: z.enum(['requested', 'active', 'error', 'off']),
  end: z.iso.datetime({ offset: true }).optional(),
  criteria: z.literal(PAS_TOPIC),
  _criteria: extensions,
  channel: z.looseObject({
    type: z.literal('rest-hook'),
    endpoint: z.url({ protocol: /^https?$/ }),
    payload: z.string().refine((type) => JSON_TYPES.includes(type.split(';')[0]?.trim() ?? ''), 'must be application/fhir+json').optional(),
    _payload: extensions,
    header: z.array(z.string().regex(/^(?:authorization|x-[a-z0-9-]+)\s*:\s*[\x20-\x7e]+$/i, 'must be an Authorization or X- header on one line')).max(10).optional(),
  }),
});

/**
 * Reads a Subscription that a client writes. `allowedOrigin` is the only origin it may name as its endpoint, so that nobody can make
 * this payer call an address of their choice.
 * @throws PayerError 400 or 422 with one issue for each fault
 */
export function readSubscription(body: unknown, allowedOrigin: string): Subscription {
  if (typeof body !== 'object' || body === null || !('resourceType' in body) || body.resourceType !== 'Subscription') {
    throw new PayerError(400, { code: 'structure', text: 'The body must be a FHIR Subscription.', expression: 'Subscription' });
  }
  const parsed = SubscriptionInput.safeParse(body);
  if (!parsed.success) {
    throw new PayerError(422, parsed.error.issues.map(({ path, message }) => ({ code: 'value' as const, text: message, expression: ['Subscription', ...path].join('.') })));
  }
  const subscription = parsed.data as unknown as Subscription;
  if (new URL(parsed.data.channel.endpoint).origin !== allowedOrigin) {
    throw new PayerError(422, { code: 'security', text: 'The endpoint must be on the origin that this client registered.', expression: 'Subscription.channel.endpoint' });
  }
  const content = parsed.data.channel._payload?.extension?.find(({ url }) => url === BACKPORT_URL.payloadContent)?.['valueCode'] ?? 'id-only';
  if (content !== 'id-only') {
    throw new PayerError(422, { code: 'not-supported', text: 'Notifications carry ids only (PAS 2.0.1); then call Claim/$inquire.', expression: 'Subscription.channel.payload' });
  }
  for (const { name } of filtersOf(subscription)) {
    if (!FILTER_NAMES.includes(name)) {
      throw new PayerError(422, { code: 'not-supported', text: `This topic filters by ${FILTER_NAMES.join(', ')} only.`, expression: 'Subscription.criteria' });
    }
  }
  return subscription;
}

interface Filter {
  readonly name: string;
  readonly values: readonly string[];
}

/** `name=value,value`, with or without "ClaimResponse?" before it. */
function filtersOf(subscription: Subscription): readonly Filter[] {
  const { _criteria } = subscription as { _criteria?: { extension?: { url?: string; valueString?: string }[] } };
  return (_criteria?.extension ?? [])
    .filter(({ url }) => url === BACKPORT_URL.filterCriteria)
    .map(({ valueString = '' }) => {
      const [name = '', ...rest] = valueString.replace(/^[A-Za-z]+\?/, '').split('=');
      return { name: name.trim(), values: rest.join('=').split(',').map((value) => value.trim()) };
    });
}

/** True when the requesting provider's identifiers meet every filter; `system|value` compares both, a bare value the value. */
export function meetsFilters(subscription: Subscription, requestor: readonly { readonly system: string; readonly value: string }[]): boolean {
  return filtersOf(subscription).every(({ values }) =>
    values.some((wanted) => requestor.some(({ system, value }) => (wanted.includes('|') ? wanted === `${system}|${value}` : wanted === value))),
  );
}
