/** One thing that the payer wants before it decides, from a CommunicationRequest or a Task of its answer (PAS §pended, §7.5, §7.6). */
export interface InformationRequest {
  /** The payer's control number where it gave one, else made from the request's content: the same ask read twice has the same id. */
  readonly id: string;
  /** The payer's control number: an answer names it. */
  readonly control?: { readonly system?: string; readonly value: string };
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
 * What was answered stays so. An open ask that a later answer does not repeat was answered where our answer was on its way, and is withdrawn where not. Open ones come first.
 */
export function mergeAsks(before: readonly InformationRequest[], now: readonly InformationRequest[] | undefined, at?: string): readonly InformationRequest[] {
  if (!now) return before;
  const kept = before.map((ask): InformationRequest => (now.some(({ id }) => id === ask.id) || ask.state !== 'open' ? ask : closed(ask, at)));
  const added = now.filter(({ id }) => !before.some((ask) => ask.id === id));
  return openFirst([...kept, ...added]);
}

function closed({ answer, ...ask }: InformationRequest, at: string | undefined): InformationRequest {
  return answer?.kind === 'sending' ? { ...ask, state: 'answered', answeredAt: at ?? answer.queuedAt } : { ...ask, state: 'withdrawn' };
}

/** One ask changed, the others as they are. */
export function changeAsk(asks: readonly InformationRequest[], id: string, change: (ask: InformationRequest) => InformationRequest): readonly InformationRequest[] {
  return openFirst(asks.map((ask) => (ask.id === id ? change(ask) : ask)));
}

function openFirst(asks: readonly InformationRequest[]): readonly InformationRequest[] {
  return [...asks.filter(({ state }) => state === 'open'), ...asks.filter(({ state }) => state !== 'open')];
}
