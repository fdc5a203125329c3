import { withoutSlashes } from '#fhir/base/reference.ts';
import { PriorAuthError } from '#prior-auth/errors.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { PayerClient } from './payer/payer-client.ts';
import type { PayerAccess } from './questionnaire/payer-operation.ts';

/** The payer's FHIR API as the questionnaire service asks for it: only POSTs, only under the configured base. Undefined for a payer that is not configured. */
export function payerAccess(payers: PayerDirectory, client: PayerClient): (payerId: string) => PayerAccess | undefined {
  return (payerId) => {
    const payer = payers.byId(payerId);
    if (!payer) return undefined;
    const base = withoutSlashes(payer.fhirBase);
    return {
      payerId,
      base,
      dtr: payer.dtr ?? { version: '2.0.1' },
      async fetch(url, { body }) {
        if (typeof body !== 'string') throw new TypeError('the body of a payer call is JSON text');
        const path = pathUnder(base, url);
        if (path === undefined) throw new PriorAuthError('PAYER_ANSWER_UNREADABLE', 'The payer’s form names an address that is not the payer’s own. It was not asked.', { nextStep: 'Tell the payer; fill in its form by other means.' });
        const reply = await client.post(payer, path, body);
        if (reply.kind === 'answered') return new Response([204, 205, 304].includes(reply.status) ? null : reply.body, { status: reply.status, headers: { 'content-type': 'application/fhir+json' } });
        throw new PriorAuthError('PAYER_UNAVAILABLE', `The payer cannot be reached: ${reply.error}.`, { retryable: true, nextStep: 'Try again in a moment.' });
      },
    };
  };
}

/** What follows the base; undefined for an address that only looks as if it were under it. */
export function pathUnder(base: string, url: string): string | undefined {
  const resolved = URL.parse(url)?.href;
  const root = URL.parse(`${base}/`)?.href;
  return resolved !== undefined && root !== undefined && resolved.startsWith(root) && !/%2e|%2f|%5c/i.test(resolved) ? resolved.slice(root.length) : undefined;
}
