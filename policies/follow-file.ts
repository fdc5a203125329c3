import { statSync } from 'node:fs';

/** A file that is read again when it changes. Once it cannot be used any more, what it said when it was last good stays in force. */
export interface FollowedFile<T> {
  said(): T;
  /** What is wrong with it since it was last good. */
  fault(): string | undefined;
  stop(): void;
}

export interface FileToFollow<T> {
  readonly file: string;
  readonly read: (file: string) => T;
  /** It says something new. */
  readonly onChange: () => void;
  /** It cannot be read, or not be used. Heard once for each change and each fault. */
  readonly onFault: (error: Error) => void;
  /** Default 2000. */
  readonly everyMs?: number | undefined;
}

/** The file is looked at, not watched, so that it works on mounted volumes too. @throws what `read` does, when the file is bad at the start. */
export function followFile<T>({ file, read, onChange, onFault, everyMs = 2_000 }: FileToFollow<T>): FollowedFile<T> {
  // Before it is read, so that a change in between is not missed.
  let before = stateOf(file);
  let said = read(file);
  let fault: string | undefined;
  const readAgain = (changed: boolean): void => {
    try {
      said = read(file);
      fault = undefined;
      onChange();
    } catch (thrown) {
      const error = thrown instanceof Error ? thrown : new Error(String(thrown));
      const heard = !changed && fault === error.message;
      fault = error.message;
      if (!heard) onFault(error);
    }
  };
  const timer = setInterval(() => {
    const now = stateOf(file);
    const changed = now !== before;
    before = now;
    // A fault may pass without a change of the file: a folder that could not be read can be read again.
    if (changed || fault !== undefined) readAgain(changed);
  }, everyMs).unref();
  return { said: () => said, fault: () => fault, stop: () => clearInterval(timer) };
}

function stateOf(file: string): string {
  try {
    const found = statSync(file, { throwIfNoEntry: false });
    return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : 'none';
  } catch (error) {
    return `not to be had: ${(error as NodeJS.ErrnoException).code}`;
  }
}
