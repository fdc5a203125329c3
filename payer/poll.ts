export interface Poll {
  start(): void;
  /** Runs as soon as the running turn, if any, is over. */
  soon(): void;
  /** Waits for the running turn. */
  stop(): Promise<void>;
}

/** Runs `work` again and again, one turn at a time, `everyMs` after the last. A failing turn is told to `onError` and does not stop the next. */
export function poll(work: () => Promise<unknown>, everyMs: number, onError: (error: unknown) => void): Poll {
  let timer: NodeJS.Timeout | undefined;
  let running: Promise<void> | undefined;
  let again = false;
  let stopped = true;

  const turn = (): void => {
    clearTimeout(timer);
    again = false;
    running = work()
      .then(() => undefined, onError)
      .then(() => {
        running = undefined;
        if (!stopped) timer = setTimeout(turn, again ? 0 : everyMs);
      });
  };
  return {
    start() {
      if (!stopped) return;
      stopped = false;
      turn();
    },
    soon() {
      if (stopped) return;
      if (running) again = true;
      else turn();
    },
    async stop() {
      stopped = true;
      clearTimeout(timer);
      await running;
    },
  };
}
