import { PriorAuthError } from '#prior-auth/errors.ts';
import type { PayerDirectory } from '#prior-auth/coverage-requirement/payer.ts';
import type { PanelParts } from './panel-api/panel-parts.ts';
import type { PayerClient } from './payer/payer-client.ts';

/** The payer's FHIR API as the questionnaire service asks for it: only POSTs, only under the configured base. */
export function payerAccess(payers: PayerDirectory, client: PayerClient): PanelParts['payerAccess'] {
  return (payerId) => {
    const payer = payers.byId(payerId);
    if (!payer) return undefined;
    return {
      base: payer.fhirBase,
      async fetch(url, { body }) {
        if (typeof body !== 'string') throw new TypeError('the body of a payer call is JSON text');
        const reply = await client.post(payer, url.slice(payer.fhirBase.replace(/\/$/, '').length + 1), body);
        if (reply.kind === 'answered') return new Response(reply.body, { status: reply.status, headers: { 'content-type': 'application/fhir+json' } });
        throw new PriorAuthError('PAYER_UNAVAILABLE', `The payer cannot be reached: ${reply.error}.`, { retryable: true, nextStep: 'Try again in a moment.' });
      },
    };
  };
}
