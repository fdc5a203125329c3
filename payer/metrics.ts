import { Counter, Histogram, register } from 'prom-client';

/** Counters of the process-wide registry; labels hold no identifier. */
export interface PayerMetrics {
  readonly answers: Counter<'operation' | 'status'>;
  readonly decisions: Counter<'action' | 'by'>;
  readonly notifications: Counter<'type' | 'outcome'>;
  readonly submitSeconds: Histogram;
}

let metrics: PayerMetrics | undefined;

export function payerMetrics(): PayerMetrics {
  metrics ??= {
    answers: new Counter({ name: 'payer_answers_total', help: 'Answers of the payer by operation and HTTP status', labelNames: ['operation', 'status'] }),
    decisions: new Counter({ name: 'payer_item_decisions_total', help: 'Item decisions by review action and by who decided', labelNames: ['action', 'by'] }),
    notifications: new Counter({ name: 'payer_notifications_total', help: 'Subscription notifications by type and outcome', labelNames: ['type', 'outcome'] }),
    submitSeconds: new Histogram({ name: 'payer_submit_seconds', help: 'Time to answer Claim/$submit', buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15], registers: [register] }),
  };
  return metrics;
}
