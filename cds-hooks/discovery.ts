import { EVIDENCE_TYPES } from '#prior-auth/coverage-requirement/policy.ts';
import type { PolicyLibrary } from '#prior-auth/coverage-requirement/policy-library.ts';
import { configurationOptions, type Defaults } from './configuration.ts';
import { CRD_VERSIONS, type Hook } from './hook-call.ts';
import { ALWAYS, EVIDENCE } from './prefetch/record-queries.ts';
import { STANDARD_2_0_1 } from './prefetch/standard-2-0-1.ts';
import { STANDARD_2_2 } from './prefetch/standard-2-2.ts';
import { SERVICES } from './services.ts';

/** Encounters ask for no chart: no policy holds criteria against one before something is ordered. */
const WITHOUT_CHART: ReadonlySet<Hook> = new Set<Hook>(['encounter-start', 'encounter-discharge']);

/**
 * The answer to GET /cds-services, one for clients of both versions: each honours the keys whose tokens it knows. The chart is asked for
 * as far as some policy's criteria look at it, see docs/decisions/hook-prefetch.md.
 */
export function discovery(library: PolicyLibrary, defaults: Defaults, prefetchChart: boolean): object {
  const wanted = new Set(library.policies.flatMap((policy) => policy.revisions.flatMap((revision) => revision.criteria.flatMap((criterion) => criterion.evidence.map(({ type }) => type)))));
  const chart = Object.fromEntries(EVIDENCE_TYPES.filter((type) => prefetchChart && wanted.has(type)).map((type) => [EVIDENCE[type].key, EVIDENCE[type].query]));
  const options = configurationOptions(defaults);
  return {
    services: SERVICES.map(({ hook, id, title, description }) => ({
      hook,
      id,
      title,
      description,
      prefetch: { ...ALWAYS, ...STANDARD_2_0_1[hook], ...STANDARD_2_2[hook], ...(WITHOUT_CHART.has(hook) ? {} : chart) },
      extension: { 'davinci-crd.version': CRD_VERSIONS, 'davinci-crd.configuration-options': options },
    })),
  };
}
