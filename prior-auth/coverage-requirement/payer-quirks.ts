import type { Payer } from './payer.ts';

/** Where payers differ though they all speak PAS: data, not code. docs/payer-connections.md tells operators what each is for. */
export interface PayerQuirks {
  /** What `$inquire` takes: the Bundle of 2.0.1, or the Parameters of 2.2.1 around it. */
  readonly inquiryWrapper: 'bundle' | 'parameters';
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

const DEFAULTS: Omit<PayerQuirks, 'inquiryWrapper'> = {
  successStatuses: [200, 201],
  timeoutMs: 30_000,
  maximumBytes: 20_000_000,
  concurrency: 16,
  breakerFailures: 5,
  breakerRestMs: 5_000,
};

export function quirksOf({ pasVersion, quirks = {} }: Pick<Payer, 'pasVersion' | 'quirks'>): PayerQuirks {
  return { ...DEFAULTS, inquiryWrapper: pasVersion === '2.0.1' ? 'bundle' : 'parameters', ...quirks };
}
