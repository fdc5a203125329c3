import { PriorAuthError } from '#prior-auth/errors.ts';

/** Runs what asks a model, so that one that hangs or fails costs little. */
export interface Watched {
  /** Throws MODEL_UNAVAILABLE after `limitMs`, and at once while the model rests. */
  run<T>(ask: () => Promise<T>): Promise<T>;
}

/** Failures in a row after which it is not asked for a while. */
const MOST_FAILURES = 3;

export function watchModel({ limitMs, restMs, now }: { readonly limitMs: number; readonly restMs: number; readonly now: () => number }): Watched {
  let failures = 0;
  let restsUntilMs = 0;
  return {
    async run(ask) {
      if (now() < restsUntilMs) throw new PriorAuthError('MODEL_UNAVAILABLE', 'The model failed several times and is left alone for a while.');
      let timer: NodeJS.Timeout | undefined;
      const tooLate = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new PriorAuthError('MODEL_UNAVAILABLE', `The model did not answer within ${limitMs} ms.`)), limitMs);
      });
      try {
        const answer = await Promise.race([ask(), tooLate]);
        failures = 0;
        return answer;
      } catch (error) {
        failures += 1;
        if (failures >= MOST_FAILURES) restsUntilMs = now() + restMs;
        throw error;
      } finally {
        clearTimeout(timer);
      }
    },
  };
}
