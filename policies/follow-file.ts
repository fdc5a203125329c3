import { statSync } from 'node:fs';

/** Begin before the file is first read. Calls `changed` within `everyMs` of a change. The file is looked at, not watched, so that it works on mounted volumes too. Returns what ends it. */
export function followFile(file: string, changed: () => void, everyMs = 2_000): () => void {
  const state = (): string => {
    const found = statSync(file, { throwIfNoEntry: false });
    return found ? `${found.ino} ${found.mtimeMs} ${found.size}` : 'none';
  };
  let before = state();
  const timer = setInterval(() => {
    const now = state();
    if (now === before) return;
    before = now;
    changed();
  }, everyMs).unref();
  return () => clearInterval(timer);
}
