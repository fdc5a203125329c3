import type { ModelKind } from './registered-model.ts';

/** One thing the gate looks at. `what` says the figure, its interval and the bound in words. */
export interface GateCheck {
  readonly name: 'rows' | 'data' | 'discrimination' | 'calibration' | 'subgroups' | 'no-worse' | 'runtime' | 'latency';
  readonly passed: boolean;
  readonly what: string;
}

export interface GateReport {
  readonly kind: ModelKind;
  readonly version: string;
  /** The live model it was compared with; null when there is none. */
  readonly against: string | null;
  readonly to: 'shadow' | 'canary' | 'live';
  readonly passed: boolean;
  /** True when the figures come from simulated decisions. */
  readonly simulated: boolean;
  readonly data: { readonly source: string; readonly rows: number; readonly from: string; readonly to: string };
  readonly checks: readonly GateCheck[];
}
