import type { Logger } from 'pino';

/** Something that was begun and has to be ended. */
export interface Begun {
  readonly what: string;
  /** What it has not written after `withinMs` is lost. */
  readonly end: (withinMs: number) => Promise<void>;
}

const LEAST_MS = 1_500;

/** Ends what was begun, the last first, all of it within the time, though each has a second and a half. What fails or does not end is logged and passed over: it must not keep the others from writing what they hold. */
export async function endInOrder(begun: readonly Begun[], withinMs: number, log: Logger): Promise<void> {
  const until = performance.now() + withinMs;
  for (const { what, end } of begun.toReversed()) {
    const left = Math.max(LEAST_MS, until - performance.now());
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<'late'>((resolve) => {
      timer = setTimeout(resolve, left, 'late');
    });
    try {
      if ((await Promise.race([end(left), late])) === 'late') log.error({ what }, 'did not end in time; what it had not written is lost');
    } catch (error) {
      log.error({ err: error, what }, 'did not end as it should; what it had not written is lost');
    } finally {
      clearTimeout(timer);
    }
  }
}
