/** One thing that the payer wants before it decides, from a CommunicationRequest or a Task of its answer (PAS §pended, §7.5, §7.6). */
export interface InformationRequest {
  /** The payer's control number where it gave one, else made from the request's content: the same ask read twice has the same id. */
  readonly id: string;
  /** Item sequence; null for the whole request. */
  readonly sequence: number | null;
  readonly wants:
    /** Documents of these kinds (LOINC or X12 755 codes). */
    | { readonly kind: 'attachment'; readonly codes: readonly { readonly system: string; readonly code: string }[] }
    /** A form: `context` is what `$questionnaire-package` takes to give it; `questionnaire` a canonical where the payer names one. */
    | { readonly kind: 'questionnaire'; readonly context?: string; readonly questionnaire?: string };
  /** In the payer's words. */
  readonly text?: string;
  /** YYYY-MM-DD. */
  readonly due?: string;
  /** Where attachments go (CDex `$submit-attachment`), as the payer's Task says it; our connection's address where it does not. */
  readonly payerUrl?: string;
  readonly state: 'open' | 'answered' | 'withdrawn';
  /** ISO instant at which our answer was taken by the payer. */
  readonly answeredAt?: string;
  /** Our answer, as long as the payer has not taken it. */
  readonly answer?: { readonly kind: 'sending'; readonly queuedAt: string; readonly by: string } | { readonly kind: 'refused'; readonly refusedAt: string; /** In words for staff. */ readonly reason: string };
}

/**
 * What is asked now, after what was asked before. `now` undefined: the answer was of a kind that does not carry asks (an inquiry), so that all stay.
 * What was answered stays so; an open ask that a later answer does not repeat is withdrawn. Open ones come first.
 */
export function mergeAsks(before: readonly InformationRequest[], now: readonly InformationRequest[] | undefined): readonly InformationRequest[] {
  if (!now) return before;
  const kept = before.map((ask): InformationRequest => (now.some(({ id }) => id === ask.id) || ask.state !== 'open' ? ask : { ...ask, state: 'withdrawn' }));
  const added = now.filter(({ id }) => !before.some((ask) => ask.id === id));
  const all = [...kept, ...added];
  return [...all.filter(({ state }) => state === 'open'), ...all.filter(({ state }) => state !== 'open')];
}
