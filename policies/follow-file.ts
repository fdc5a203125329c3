import { statSync } from 'node:fs';

/** A file that is read again when it changes. Once it cannot be used any more, what it said when it was last good stays in force. */
export interface FollowedFile<T> {
  said(): T;
  /** What is wrong with it since it was last good. */
  fault(): string | undefined;
  stop(): void;
}

export interface FileToFollow<T, E extends Error> {
  readonly file: string;
  readonly read: (file: string) => T;
  /** What `read` throws when the file cannot be used. */
  readonly faultClass: abstract new (...given: never[]) => E;
  /** It says something new. */
  readonly onChange: () => void;
  readonly onFault: (error: E) => void;
  /** Default 2000. */
  readonly everyMs?: number | undefined;
}

/** The file is looked at, not watched, so that it works on mounted volumes too. @throws E when the file is bad at the start. */
export function followFile<T, E extends Error>({ file, read, faultClass, onChange, onFault, everyMs = 2_000 }: FileToFollow<T, E>): FollowedFile<T> {
  const state = (): string => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : 'none';
  };
  // Before it is read, so that a change in between is not missed.
  let before = state();
  let said = read(file);
  let fault: string | undefined;
  const readAgain = (): void => {
    try {
      said = read(file);
      fault = undefined;
      onChange();
    } catch (error) {
      if (!(error instanceof faultClass)) throw error;
      fault = error.message;
      onFault(error);
    }
  };
  const timer = setInterval(() => {
    const now = state();
    if (now === before) return;
    before = now;
    readAgain();
  }, everyMs).unref();
  return { said: () => said, fault: () => fault, stop: () => clearInterval(timer) };
}
