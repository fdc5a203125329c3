/**
 * Shares that the simulator leans on. Second-hand: read in others' summaries of the named source, not in the source itself; verify before quoting.
 */
export const PUBLISHED_RATES = {
  /** Medicare Advantage prior-authorization determinations denied in full or part, 2024; said to come from KFF. */
  medicareAdvantageDenied: 0.077,
  /** Original Medicare requests for durable equipment (DMEPOS) not affirmed, fiscal year 2024; said to come from CMS. */
  equipmentNotAffirmed: 0.271,
  /** Medicare Advantage denials that were appealed, 2024; said to come from KFF. */
  deniedAppealed: 0.115,
  /** Medicare Advantage appeals that overturned the denial in full or part, 2024; said to come from KFF. */
  appealsOverturned: 0.807,
} as const;

/** Longest a standard request may wait, 42 CFR 422.568 from 2026, and an expedited one, 42 CFR 422.572. */
export const DECISION_CLOCK_DAYS = { standard: 7, expedited: 3 } as const;
