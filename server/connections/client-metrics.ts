import { Counter, Gauge, Histogram, type Registry } from 'prom-client';

export interface PayerClientMetrics {
  readonly requests: Counter<'payer' | 'operation' | 'outcome'>;
  readonly seconds: Histogram<'payer' | 'operation'>;
  /** 1 while the payer is left alone after failures. */
  readonly breakerOpen: Gauge<'payer'>;
}

/** A registry that has them already gives back the same. */
export function payerClientMetrics(registry: Registry): PayerClientMetrics {
  const once = <T>(name: string, make: () => T): T => (registry.getSingleMetric(name) as T | undefined) ?? make();
  const registers = [registry];
  return {
    requests: once('payer_client_requests_total', () => new Counter({ name: 'payer_client_requests_total', help: 'Requests to payers by operation and outcome.', labelNames: ['payer', 'operation', 'outcome'], registers })),
    seconds: once('payer_client_seconds', () => new Histogram({ name: 'payer_client_seconds', help: 'Time of a request to a payer, waiting for a free place included.', labelNames: ['payer', 'operation'], buckets: [0.01, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 15, 30], registers })),
    breakerOpen: once('payer_client_breaker_open', () => new Gauge({ name: 'payer_client_breaker_open', help: '1 while a payer is left alone after repeated failures.', labelNames: ['payer'], registers })),
  };
}

/** The operation named in a path, without ids. */
export function operationOf(path: string): string {
  return /\$[a-z-]+/.exec(path)?.[0] ?? /^[A-Za-z]+/.exec(path)?.[0] ?? 'other';
}
