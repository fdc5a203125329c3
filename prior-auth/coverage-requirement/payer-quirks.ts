import type { Payer } from './payer.ts';

/** Where payers differ though they all speak PAS: data, not code. docs/payer-connections.md tells operators what each is for. */
export interface PayerQuirks {
  /** What `$inquire` takes: the bare Bundle, as both versions say, or Parameters with the Bundle as `resource`. */
  readonly inquiryWrapper: 'bundle' | 'parameters';
  /** Systems of before 2.0 call it `$inquiry`. */
  readonly inquiryOperation: '$inquire' | '$inquiry';
  /** 2XX that carry an answer; any other 2XX counts as no answer, and the same bytes go again. */
  readonly successStatuses: readonly number[];
  /** For one call, its token not counted. */
  readonly timeoutMs: number;
  /** Larger bodies are not sent. */
  readonly maximumBytes: number;
  /** Calls at the same time, of each process. */
  readonly concurrency: number;
  /** Failures in a row after which the payer is left alone, and for how long. */
  readonly breakerFailures: number;
  readonly breakerRestMs: number;
}

const DEFAULTS: PayerQuirks = {
  inquiryWrapper: 'bundle',
  inquiryOperation: '$inquire',
  successStatuses: [200, 201],
  timeoutMs: 30_000,
  maximumBytes: 20_000_000,
  concurrency: 16,
  breakerFailures: 5,
  breakerRestMs: 5_000,
};

export function quirksOf({ quirks }: Pick<Payer, 'quirks'>): PayerQuirks {
  return { ...DEFAULTS, ...quirks };
}
