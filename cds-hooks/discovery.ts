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
 * The queries of one service's discovery, by key. The chart is asked for as far as some policy's criteria look at it, see docs/decisions/hook-prefetch.md.
 */
export function prefetchQueries(library: PolicyLibrary, prefetchChart: boolean): (hook: Hook) => Readonly<Record<string, string>> {
  const wanted = new Set(library.policies.flatMap((policy) => policy.revisions.flatMap((revision) => revision.criteria.flatMap((criterion) => criterion.evidence.map(({ type }) => type)))));
  const chart = Object.fromEntries(EVIDENCE_TYPES.filter((type) => prefetchChart && wanted.has(type)).map((type) => [EVIDENCE[type].key, EVIDENCE[type].query]));
  return (hook) => ({ ...ALWAYS, ...STANDARD_2_0_1[hook], ...STANDARD_2_2[hook], ...(WITHOUT_CHART.has(hook) ? {} : chart) });
}

/** The answer to GET /cds-services, one for clients of both versions: each honours the keys whose tokens it knows. */
export function discovery(defaults: Defaults, prefetch: ReturnType<typeof prefetchQueries>): object {
  const options = configurationOptions(defaults);
  return {
    services: SERVICES.map(({ hook, id, title, description }) => ({
      hook,
      id,
      title,
      description,
      prefetch: prefetch(hook),
      extension: { 'davinci-crd.version': CRD_VERSIONS, 'davinci-crd.configuration-options': options },
    })),
  };
}
