import { useCallback, useEffect, useRef, useState } from 'react';
import type { Failure, Reply } from './call-json.ts';

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly failure: Failure | undefined;
  readonly loading: boolean;
  /** Loads again; the old value stays on the screen meanwhile. */
  reload(): void;
}

/** Loads when `load` changes (give it by useCallback). A late answer to an older question is thrown away. */
export function useLoad<T>(load: () => Promise<Reply<T>>): Loaded<T> {
  const [state, setState] = useState<{ readonly value?: T; readonly failure?: Failure; readonly loading: boolean }>({ loading: true });
  const turn = useRef(0);
  const run = useCallback(() => {
    const mine = ++turn.current;
    setState((before) => ({ ...before, loading: true }));
    void load().then((reply) => {
      if (mine !== turn.current) return;
      setState((before) => (reply.kind === 'ok'
        ? { value: reply.value, loading: false }
        : { ...before, failure: reply.failure, loading: false }));
    });
  }, [load]);
  useEffect(() => {
    run();
    return () => void turn.current++;
  }, [run]);
  return { value: state.value, failure: state.failure, loading: state.loading, reload: run };
}
