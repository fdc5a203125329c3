import { EVIDENCE_TYPES } from '#prior-auth/coverage-requirement/policy.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import { configurationOptions, type defaultsFor } from './configuration.ts';
import { ALWAYS, EVIDENCE } from './standard-data.ts';

export const ORDER_SIGN_SERVICE = 'order-sign-crd';

/** The answer to GET /cds-services. The chart is asked for as far as some policy's criteria look at it, see docs/decisions/hook-prefetch.md. */
export function discovery(library: PolicyLibrary, defaults: ReturnType<typeof defaultsFor>, prefetchChart: boolean): object {
  const wanted = new Set(library.policies.flatMap((policy) => policy.revisions.flatMap((revision) => revision.criteria.flatMap((criterion) => criterion.evidence.map(({ type }) => type)))));
  const chart = EVIDENCE_TYPES.filter((type) => prefetchChart && wanted.has(type)).map((type) => [EVIDENCE[type].key, EVIDENCE[type].query]);
  return {
    services: [
      {
        hook: 'order-sign',
        id: ORDER_SIGN_SERVICE,
        title: 'Coverage requirements at signing',
        description: "Says whether the patient's payer needs an authorization or documents for the orders being signed, and how likely a denial is.",
        prefetch: { ...ALWAYS, ...Object.fromEntries(chart) },
        extension: { 'davinci-crd.configuration-options': configurationOptions(defaults) },
      },
    ],
  };
}
