/** The time that a call has for what it waits for. Nothing is made for a call that waits for nothing. */
export interface Deadline {
  /** Aborted when the time is over. */
  readonly signal: () => AbortSignal;
  /** Milliseconds; may be negative. */
  readonly leftMs: () => number;
  /** The call has been answered: its timer must not outlive it. */
  end(): void;
}

export function openDeadline(leftMs: () => number): Deadline {
  let controller: AbortController | undefined;
  let timer: NodeJS.Timeout | undefined;
  return {
    signal() {
      if (!controller) {
        const made = (controller = new AbortController());
        timer = setTimeout(() => made.abort(), Math.max(1, Math.round(leftMs())));
      }
      return controller.signal;
    },
    leftMs,
    end: () => clearTimeout(timer),
  };
}
