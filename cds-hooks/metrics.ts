import { Counter, Histogram, type Registry } from 'prom-client';

export interface HookMetrics {
  readonly calls: Counter<'service' | 'outcome'>;
  readonly seconds: Histogram<'service'>;
  readonly determinations: Counter<'policy' | 'pa_needed'>;
  /** Where the record came from: all in prefetch, some fetched, some missing. */
  readonly data: Counter<'source'>;
  readonly risk: Counter<'outcome'>;
  /** What was kept back because it breaks a rule of CDS Hooks or CRD. */
  readonly answerFaults: Counter<'part' | 'rule'>;
  /** Orders, appointments and encounters answered, by who answered: our policies, or a payer's own service. */
  readonly answers: Counter<'hook' | 'source' | 'outcome'>;
  readonly payerServices: Counter<'payer' | 'outcome'>;
  /** What of payers' answers was not taken. */
  readonly payerFaults: Counter<'payer' | 'what'>;
  readonly admitted: Counter<'how'>;
  /** Signed calls, by whether the shared store could say that their token is new. */
  readonly tokens: Counter<'replay'>;
}

/** Metrics carry policy ids and outcomes, never data of a call. A registry that has them already gives back the same. */
export function hookMetrics(registry: Registry): HookMetrics {
  const once = <T>(name: string, make: () => T): T => (registry.getSingleMetric(name) as T | undefined) ?? make();
  const registers = [registry];
  return {
    calls: once('cds_hook_calls_total', () => new Counter({ name: 'cds_hook_calls_total', help: 'CDS Hooks calls by outcome.', labelNames: ['service', 'outcome'], registers })),
    seconds: once('cds_hook_seconds', () => new Histogram({ name: 'cds_hook_seconds', help: 'Time to answer a CDS Hooks call.', labelNames: ['service'], buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5], registers })),
    determinations: once('cds_hook_determinations_total', () => new Counter({ name: 'cds_hook_determinations_total', help: 'Determinations by policy and what is needed.', labelNames: ['policy', 'pa_needed'], registers })),
    data: once('cds_hook_data_total', () => new Counter({ name: 'cds_hook_data_total', help: 'Where the record for a call came from.', labelNames: ['source'], registers })),
    answers: once('cds_hook_answers_total', () => new Counter({ name: 'cds_hook_answers_total', help: 'Answers by hook, by who answered, and whether all of the record was there.', labelNames: ['hook', 'source', 'outcome'], registers })),
    payerServices: once('cds_hook_payer_services_total', () => new Counter({ name: 'cds_hook_payer_services_total', help: "Calls of payers' own CRD services.", labelNames: ['payer', 'outcome'], registers })),
    payerFaults: once('cds_hook_payer_faults_total', () => new Counter({ name: 'cds_hook_payer_faults_total', help: "Parts of payers' answers that were not taken.", labelNames: ['payer', 'what'], registers })),
    admitted: once('cds_hook_admitted_total', () => new Counter({ name: 'cds_hook_admitted_total', help: 'Calls taken in full, in part, or refused because of load.', labelNames: ['how'], registers })),
    tokens: once('cds_hook_client_tokens_total', () => new Counter({ name: 'cds_hook_client_tokens_total', help: 'Accepted client tokens, by whether replay could be checked across processes.', labelNames: ['replay'], registers })),
    answerFaults: once('cds_hook_answer_faults_total', () => new Counter({ name: 'cds_hook_answer_faults_total', help: 'Parts of answers that were kept back because they break a rule.', labelNames: ['part', 'rule'], registers })),
    risk: once('cds_hook_denial_risk_total', () => new Counter({ name: 'cds_hook_denial_risk_total', help: 'Denial-risk scores by outcome.', labelNames: ['outcome'], registers })),
  };
}
