import { isFinal } from './deadlines.ts';
import type { PayerDecision } from './decision.ts';

/**
 * Whether an answer takes the place of another about the same request; they may come doubled and in any order. The payer's word goes before what a person entered,
 * a decision before "not decided yet" whatever their times (payers' clocks differ from ours), and of two alike the later one.
 */
export function supersedes(next: PayerDecision, current: PayerDecision): boolean {
  if (current.entered) return !next.entered && isFinal(next);
  if (isFinal(next) !== isFinal(current)) return isFinal(next);
  return isFinal(next) ? next.decidedAt > current.decidedAt : next.decidedAt >= current.decidedAt;
}
