import { useCallback, useEffect, useState } from 'react';
import type { Failure, Reply } from './call-json.ts';

export interface Loaded<T> {
  readonly value: T | undefined;
  readonly failure: Failure | undefined;
  readonly loading: boolean;
  /** Loads again; the old value stays on the screen meanwhile. */
  readonly reload: () => void;
}

interface Answered<T> {
  readonly load?: () => Promise<Reply<T>>;
  readonly turn: number;
  readonly value?: T;
  readonly failure?: Failure;
}

/** Loads when `load` changes (give it by useCallback). A late answer to an older question is thrown away. */
export function useLoad<T>(load: () => Promise<Reply<T>>): Loaded<T> {
  const [turn, setTurn] = useState(0);
  const [answered, setAnswered] = useState<Answered<T>>({ turn: -1 });
  useEffect(() => {
    let current = true;
    void load().then((reply) => {
      if (!current) return;
      setAnswered((before) => (reply.kind === 'ok' ? { load, turn, value: reply.value } : { ...before, load, turn, failure: reply.failure }));
    });
    return () => { current = false; };
  }, [load, turn]);
  const reload = useCallback(() => setTurn((before) => before + 1), []);
  return { value: answered.value, failure: answered.failure, loading: answered.load !== load || answered.turn !== turn, reload };
}
