import type { PayerDecision } from './decision.ts';

/** A decision in plain words, the same on every screen. `tone` picks the colour: only `good` is green, and only an approval of every item is `good`. */
export interface DecisionWords {
  readonly tone: 'good' | 'mixed' | 'bad' | 'waiting' | 'unknown';
  readonly headline: string;
  readonly items: readonly { readonly sequence: number; readonly tone: DecisionWords['tone']; readonly text: string; readonly details: readonly string[] }[];
  readonly nextStep: string;
}

/** Says a decision in plain words. */
export type SayDecision = (decision: PayerDecision) => DecisionWords;
